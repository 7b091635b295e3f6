import asyncio,time,resource
from pathlib import Path
from integration.patient_context.rig import *
from integration.patient_context.people import *
from careline.patient_context.v1.patient_service_pb2 import GetPatientContextRequest
from runtime.tokens.caller_assertion import CallerLevel
def q(x,p): x=sorted(x); return round(1000*x[min(len(x)-1,int(p*len(x)))],1)
async def test_b(process: Process, shared_data: Path) -> None:
    op=await process.operator(); agent=await process.agent()
    name=await brought_in(op,agent,"B-1",*history())
    conv=f"conversations/{new_id()}"
    a=await process.assertion(name,conv,CallerLevel.VERIFIED)
    look=await process.agent(assertion=a)
    req=GetPatientContextRequest(patient=name,conversation=conv)
    async def one(l,lk=look,rq=req):
        t=time.perf_counter(); await lk.patients.GetPatientContext(rq); l.append(time.perf_counter()-t)
    w=[]; 
    for _ in range(50): await one(w)
    l=[]; c=time.process_time()
    for _ in range(500): await one(l)
    print('sequential p50/p99/max ms',q(l,.5),q(l,.99),q(l,1),'cpu ms each (client+server)',(time.process_time()-c)*2)
    import cProfile,pstats
    pr=cProfile.Profile(); pr.enable(); l=[]
    for _ in range(200): await one(l)
    pr.disable(); pstats.Stats(pr).sort_stats('cumtime').print_stats(70)
