// Drives an installation through the client that Terraform's provider and Kubernetes' are made with: registers a
// template, deploys a machine, lists both, changes the machine as Terraform does, destroys them. Prints what it saw as JSON.
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
	HostIP     string `json:"hostIp"`
	Tag        string `json:"tag"`
	Tagged     int    `json:"tagged"`
	Offering   string `json:"offering"`
	KeyPairs   string `json:"keyPairs"`
	Restarted  string `json:"restarted"`
	Nics       int    `json:"nics"`
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

	changeMachine(client, machine.Id, &result)

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

// What Terraform's provider does when tags, size and key of a machine are others than before.
func changeMachine(client *cloudstack.CloudStackClient, id string, result *seen) {
	result.HostIP = check(client.Host.ListHosts(client.Host.NewListHostsParams())).Hosts[0].Ipaddress
	tags := map[string]string{"env": "test"}
	check(client.Resourcetags.CreateTags(client.Resourcetags.NewCreateTagsParams([]string{id}, "UserVm", tags)))
	tagged := client.VirtualMachine.NewListVirtualMachinesParams()
	tagged.SetTags(tags)
	machines := check(client.VirtualMachine.ListVirtualMachines(tagged))
	result.Tagged = machines.Count
	result.Tag = machines.VirtualMachines[0].Tags[0].Value
	check(client.Resourcetags.DeleteTags(client.Resourcetags.NewDeleteTagsParams([]string{id}, "UserVm")))

	stop := client.VirtualMachine.NewStopVirtualMachineParams(id)
	stop.SetForced(true)
	check(client.VirtualMachine.StopVirtualMachine(stop))
	offerings := client.ServiceOffering.NewListServiceOfferingsParams()
	offerings.SetName("Medium Instance")
	offering := check(client.ServiceOffering.ListServiceOfferings(offerings)).ServiceOfferings[0]
	changed := client.VirtualMachine.NewChangeServiceForVirtualMachineParams(id, offering.Id)
	check(client.VirtualMachine.ChangeServiceForVirtualMachine(changed))
	check(client.SSH.CreateSSHKeyPair(client.SSH.NewCreateSSHKeyPairParams("from-go")))
	defer client.SSH.DeleteSSHKeyPair(client.SSH.NewDeleteSSHKeyPairParams("from-go"))
	reset := client.SSH.NewResetSSHKeyForVirtualMachineParams(id)
	reset.SetKeypair("from-go")
	result.KeyPairs = check(client.SSH.ResetSSHKeyForVirtualMachine(reset)).Keypairs
	start := client.VirtualMachine.NewStartVirtualMachineParams(id)
	started := check(client.VirtualMachine.StartVirtualMachine(start))
	result.Restarted = started.State
	result.Offering = started.Serviceofferingname
	result.Nics = check(client.Nic.ListNics(client.Nic.NewListNicsParams(id))).Count
}
