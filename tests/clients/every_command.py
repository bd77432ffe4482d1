"""Calls every command around direct download through `cs`, in JSON and in XML.

Reads what there is from the environment, prints `{"<command>": ["json", "xml"]}` of what answered as it has to, and
ends with an error at the first thing that did not.
"""

import json
import os
import sys
import xml.etree.ElementTree as ET

from cs import CloudStack, CloudStackApiException

ENDPOINT = os.environ["CLOUDSTACK_ENDPOINT"]
TEMPLATE_URL, ISO_URL, CERTIFICATE = sys.argv[1:4]

client = CloudStack(
    endpoint=ENDPOINT,
    key=os.environ["CLOUDSTACK_KEY"],
    secret=os.environ["CLOUDSTACK_SECRET"],
    method="post",
    poll_interval=0.3,
    job_timeout=150,
)
answered: dict[str, list[str]] = {}


def value_of(element):
    """An XML answer as the same thing in JSON, but that every value is a list of texts or of objects."""
    if len(element) == 0:
        return element.text or ""
    fields: dict[str, list] = {}
    for child in element:
        fields.setdefault(child.tag, []).append(value_of(child))
    return fields


class Caller:
    """The same calls in either format."""

    def __init__(self, is_json):
        self.is_json = is_json
        self.format = "json" if is_json else "xml"

    def call(self, command, **parameters):
        answer = getattr(client, command)(json=self.is_json, fetch_result=False, **parameters)
        if not self.is_json:
            root = ET.fromstring(answer)
            assert root.tag == f"{command.lower()}response", root.tag
            assert root.get("cloud-stack-version", "").startswith("4."), root.attrib
            answer = value_of(root) or {}
        answered.setdefault(command, [])
        if self.format not in answered[command]:
            answered[command].append(self.format)
        return answer

    def items(self, command, key, **parameters):
        """Of a list; with its count checked."""
        answer = self.call(command, **parameters)
        items = answer.get(key, []) if answer else []
        if items:
            count = answer["count"] if self.is_json else int(answer["count"][0])
            assert count >= len(items), answer
        return items

    def first(self, command, key, **parameters):
        items = self.items(command, key, **parameters)
        assert items, f"{command} {parameters} lists nothing"
        return items[0]

    def field(self, item, name):
        value = item[name]
        return value if self.is_json else value[0]

    def id(self, item):
        return self.field(item, "id")

    def run(self, command, **parameters):
        """A command that answers with a job, to the job's end."""
        jobid = self.field(self.call(command, **parameters), "jobid")
        result = client._jobresult(jobid)
        job = self.call("queryAsyncJobResult", jobid=jobid)
        assert str(self.field(job, "jobstatus")) == "1", job
        return result

    def refused(self, command, code, **parameters):
        try:
            self.call(command, **parameters)
        except CloudStackApiException as error:
            assert error.response.status_code == code, error
            answered.setdefault(command, []).append(self.format)
            return
        raise AssertionError(f"{command} was not refused")


def flow(api):
    zoneid = api.id(api.first("listZones", "zone"))
    api.first("listPods", "pod")
    api.first("listDomains", "domain")
    host = api.first("listHosts", "host", type="Routing")
    pool = api.first("listStoragePools", "storagepool")
    api.call("updateStoragePool", id=api.id(pool), tags="fast")
    api.call("updateStoragePool", id=api.id(pool), tags="")
    system = api.first("listOsTypes", "ostype", description="Other Linux (64-bit)")
    offering = api.first("listServiceOfferings", "serviceoffering", name="Small Instance")
    api.first("listNetworks", "network")
    api.first("listConfigurations", "configuration", name="expunge.interval")
    api.call("updateConfiguration", name="expunge.interval", value="86400")
    apis = api.items("listApis", "api")
    assert len(apis) > 60
    assert api.items("listApis", "api", name="listZones")

    template = api.first(
        "registerTemplate", "template", name="from-cs", displaytext="from ~cs * + é", format="QCOW2", hypervisor="KVM",
        url=TEMPLATE_URL, zoneid=zoneid, ostypeid=api.id(system), directdownload="true",
        details=[{"HTTP_HEADER:X-Test": "secret"}, ],
    )
    templateid = api.id(template)
    assert api.field(template, "displaytext") == "from ~cs * + é"
    iso = api.first(
        "registerIso", "iso", name="iso", url=ISO_URL, zoneid=zoneid, ostypeid=api.id(system), directdownload="true"
    )
    isoid = api.id(iso)
    changed = api.call("updateTemplate", id=templateid, name="from-cs-2", sortkey="-7")
    assert "-7" in str(changed), changed
    assert api.items("listTemplates", "template", templatefilter="self", id=templateid)
    assert api.items("listIsos", "iso", id=isoid)

    begun = api.call(
        "deployVirtualMachine", zoneid=zoneid, serviceofferingid=api.id(offering), templateid=templateid, name="from-cs"
    )
    vmid = api.id(begun)
    machine = client._jobresult(api.field(begun, "jobid"))["virtualmachine"]
    assert machine["state"] == "Running" and machine["hostid"] == api.id(host), machine
    assert api.field(api.first("listVirtualMachines", "virtualmachine", id=vmid), "state") == "Running"
    assert api.items("listAsyncJobs", "asyncjobs", listall="true")
    shown = api.first("listTemplates", "template", templatefilter="self", id=templateid)
    assert "DOWNLOADED" in str(shown["downloaddetails"]), shown
    assert "secret" not in str(shown), shown

    api.run("attachIso", id=isoid, virtualmachineid=vmid)
    api.run("detachIso", virtualmachineid=vmid, forced="true")
    api.run("stopVirtualMachine", id=vmid, forced="true")
    api.run("startVirtualMachine", id=vmid, podid=api.field(host, "podid"), clusterid=api.field(host, "clusterid"))
    api.run("stopVirtualMachine", id=vmid, forced="true")
    api.run("restoreVirtualMachine", virtualmachineid=vmid)
    api.run("destroyVirtualMachine", id=vmid)
    api.run("expungeVirtualMachine", id=vmid)
    assert not api.items("listVirtualMachines", "virtualmachine", id=vmid)
    api.run("deleteTemplate", id=templateid)
    api.run("deleteIso", id=isoid)

    with open(CERTIFICATE, encoding="utf-8") as file:
        pem = file.read()
    alias = f"from-cs-{api.format}"
    api.call("uploadTemplateDirectDownloadCertificate", certificate=pem, name=alias, hypervisor="KVM", zoneid=zoneid)
    certificates = api.items("listTemplateDirectDownloadCertificates", "directdownloadcertificate", zoneid=zoneid)
    certificate = next(one for one in certificates if api.field(one, "alias") == alias)
    api.call("provisionTemplateDirectDownloadCertificate", id=api.id(certificate), hostid=api.id(host))
    api.call("revokeTemplateDirectDownloadCertificate", id=api.id(certificate), zoneid=zoneid)

    # Of parts that Slipway does not have.
    for command in ("createTemplate", "copyTemplate", "extractTemplate"):
        api.refused(command, 432, id=templateid)


for is_json in (True, False):
    flow(Caller(is_json))
print(json.dumps(answered))
