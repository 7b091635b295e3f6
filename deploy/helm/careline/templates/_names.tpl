{{- /* Names and labels. `service` is a service's name as in protos, with underscores. */ -}}

{{- define "careline.component" -}}
{{ . | replace "_" "-" }}
{{- end -}}

{{- define "careline.fullname" -}}
{{ printf "%s-%s" .root.Release.Name (include "careline.component" .service) | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "careline.selector" -}}
app.kubernetes.io/name: careline
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ include "careline.component" .service }}
{{- end -}}

{{- define "careline.labels" -}}
{{ include "careline.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- define "careline.image" -}}
{{- if .Values.image.digest -}}
{{ printf "%s@%s" .Values.image.repository .Values.image.digest }}
{{- else -}}
{{ printf "%s:%s" .Values.image.repository .Values.image.tag }}
{{- end -}}
{{- end -}}
