// Drives an installation through the client that Terraform's provider and Kubernetes' are made with: registers a
// template, deploys a machine, lists both, destroys them. Prints what it saw as JSON.
package main

import (
	"encoding/json"
	"log"
	"os"

	"github.com/apache/cloudstack-go/v2/cloudstack"
)

type seen struct {
	Commands   int    `json:"commands"`
	TemplateID string `json:"templateId"`
	IsReady    bool   `json:"isReady"`
	MachineID  string `json:"machineId"`
	State      string `json:"state"`
	HostName   string `json:"hostName"`
	MacAddress string `json:"macAddress"`
	Left       int    `json:"left"`
	ErrorText  string `json:"errorText"`
}

func check[Answer any](answer Answer, err error) Answer {
	if err != nil {
		log.Fatal(err)
	}
	return answer
}

func main() {
	client := cloudstack.NewAsyncClient(os.Getenv("CLOUDSTACK_ENDPOINT"), os.Getenv("CLOUDSTACK_KEY"), os.Getenv("CLOUDSTACK_SECRET"), true)
	client.AsyncTimeout(120)
	var result seen

	result.Commands = check(client.APIDiscovery.ListApis(client.APIDiscovery.NewListApisParams())).Count
	zone := check(client.Zone.ListZones(client.Zone.NewListZonesParams())).Zones[0]
	system, _, err := client.GuestOS.GetOsTypeID("Other Linux (64-bit)")
	if err != nil {
		system = check(client.GuestOS.ListOsTypes(client.GuestOS.NewListOsTypesParams())).OsTypes[0].Id
	}
	offerings := client.ServiceOffering.NewListServiceOfferingsParams()
	offerings.SetName("Small Instance")
	offering := check(client.ServiceOffering.ListServiceOfferings(offerings)).ServiceOfferings[0]

	register := client.Template.NewRegisterTemplateParams("from Go", "QCOW2", "KVM", "from-go", os.Args[1])
	register.SetZoneid(zone.Id)
	register.SetOstypeid(system)
	register.SetDirectdownload(true)
	register.SetChecksum(os.Args[2])
	result.TemplateID = check(client.Template.RegisterTemplate(register)).RegisterTemplate[0].Id
	template, _, err := client.Template.GetTemplateByID(result.TemplateID, "self")
	result.IsReady = check(template, err).Isready

	deploy := client.VirtualMachine.NewDeployVirtualMachineParams(offering.Id, result.TemplateID, zone.Id)
	deploy.SetName("from-go")
	deploy.SetDetails(map[string]string{})
	machine := check(client.VirtualMachine.DeployVirtualMachine(deploy))
	result.MachineID = machine.Id
	result.State = machine.State
	result.HostName = machine.Hostname
	result.MacAddress = machine.Nic[0].Macaddress
	listed, _, err := client.VirtualMachine.GetVirtualMachineByName("from-go")
	if check(listed, err).Id != machine.Id {
		log.Fatal("another machine is listed by that name")
	}

	destroy := client.VirtualMachine.NewDestroyVirtualMachineParams(machine.Id)
	destroy.SetExpunge(true)
	check(client.VirtualMachine.DestroyVirtualMachine(destroy))
	left := client.VirtualMachine.NewListVirtualMachinesParams()
	left.SetId(machine.Id)
	result.Left = check(client.VirtualMachine.ListVirtualMachines(left)).Count
	check(client.Template.DeleteTemplate(client.Template.NewDeleteTemplateParams(result.TemplateID)))

	_, err = client.VirtualMachine.StartVirtualMachine(client.VirtualMachine.NewStartVirtualMachineParams(machine.Id))
	if err != nil {
		result.ErrorText = err.Error()
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		log.Fatal(err)
	}
}
