{{- /* What every pod of the release has in common: no rights, no writable root, its references mounted. */ -}}

{{- define "careline.podSecurity" -}}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "careline.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end -}}

{{- define "careline.database" -}}
{{ printf "postgresql://%s:%d/%s?sslmode=verify-full&sslrootcert=/etc/careline/ca/%s/ca.crt" .at.host (int .at.port) .at.database .name }}
{{- end -}}

{{- /* Where the databases and Vault are: what services and the migrations job share. */ -}}
{{- define "careline.stores" -}}
- name: CARELINE_DATABASE
  value: {{ include "careline.database" (dict "at" .root.Values.postgresql "name" "postgresql") | quote }}
- name: CARELINE_KEYRING_DATABASE
  value: {{ include "careline.database" (dict "at" .root.Values.keyring "name" "keyring") | quote }}
- name: CARELINE_VAULT_ADDRESS
  value: {{ .root.Values.vault.address | quote }}
- name: CARELINE_VAULT_CA_FILE
  value: /etc/careline/ca/vault/ca.crt
- name: CARELINE_VAULT_ROLE_ID_FILE
  value: /etc/careline/approle/role-id
- name: CARELINE_VAULT_SECRET_ID_FILE
  value: /etc/careline/approle/secret-id
{{- end -}}

{{- define "careline.dependencies" -}}
{{ include "careline.stores" . }}
- name: CARELINE_NATS_URL
  value: {{ .root.Values.nats.url | quote }}
- name: CARELINE_NATS_CA_FILE
  value: /etc/careline/ca/nats/ca.crt
- name: CARELINE_LOG_LEVEL
  value: {{ .root.Values.telemetry.logLevel }}
{{- end -}}

{{- define "careline.storeMounts" -}}
- {name: approle, mountPath: /etc/careline/approle, readOnly: true}
- {name: ca-postgresql, mountPath: /etc/careline/ca/postgresql, readOnly: true}
- {name: ca-keyring, mountPath: /etc/careline/ca/keyring, readOnly: true}
- {name: ca-vault, mountPath: /etc/careline/ca/vault, readOnly: true}
- {name: tmp, mountPath: /tmp}
{{- end -}}

{{- define "careline.storeVolumes" -}}
- name: approle
  secret: {secretName: {{ .appRoleSecret }}, defaultMode: 0440}
- name: ca-postgresql
  configMap: {name: {{ .root.Values.postgresql.caConfigMap }}}
- name: ca-keyring
  configMap: {name: {{ .root.Values.keyring.caConfigMap }}}
- name: ca-vault
  configMap: {name: {{ .root.Values.vault.caConfigMap }}}
- name: tmp
  emptyDir: {sizeLimit: 64Mi}
{{- end -}}
