// SPDX-License-Identifier: LGPL-2.1-or-later

// What programs in Go do with libvirt's RPC protocol, which their library (go-libvirt) speaks without libvirt's own:
// Terraform's and Kubernetes' providers, exporters. A story is run against a socket, and each of its steps says in one
// line what came of it; the test compares the lines.
//
//	client SOCKET URI STORY ARGUMENTS...
package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	libvirt "github.com/digitalocean/go-libvirt"
	"github.com/digitalocean/go-libvirt/socket/dialers"
)

const (
	workers      = 8
	rounds       = 12
	refreshPause = 50 * time.Millisecond
)

var stories = map[string]func(*libvirt.Libvirt, []string){
	"host":      host,
	"life":      life,
	"resources": resources,
	"release":   release,
	"console":   console,
	"errors":    mistakes,
	"parallel":  parallel,
}

func main() {
	path, uri, story := os.Args[1], os.Args[2], os.Args[3]
	connection := libvirt.NewWithDialer(dialers.NewLocal(dialers.WithSocket(path)))
	must(connection.ConnectToURI(libvirt.ConnectURI(uri)))
	stories[story](connection, os.Args[4:])
	must(connection.Disconnect())
	<-connection.Disconnected()
}

// must ends the program with an error that no step expects.
func must(err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%#v\n", err)
		os.Exit(1)
	}
}

func say(what string, values ...interface{}) {
	fmt.Println(what+":", strings.TrimSuffix(fmt.Sprintln(values...), "\n"))
}

func read(path string) string {
	text, err := os.ReadFile(path)
	must(err)
	return string(text)
}

// element is the text at a place in a document: the first one of each name on the way.
func element(document string, names ...string) string {
	decoder := xml.NewDecoder(strings.NewReader(document))
	var path []string
	for {
		token, err := decoder.Token()
		if err != nil {
			return ""
		}
		switch token := token.(type) {
		case xml.StartElement:
			path = append(path, token.Name.Local)
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			if len(path) > 0 && strings.Join(path[1:], "/") == strings.Join(names, "/") {
				return string(token)
			}
		}
	}
}

func state(connection *libvirt.Libvirt, domain libvirt.Domain) (libvirt.DomainState, int32) {
	now, reason, err := connection.DomainGetState(domain, 0)
	must(err)
	return libvirt.DomainState(now), reason
}

func host(connection *libvirt.Libvirt, _ []string) {
	version, err := connection.ConnectGetLibVersion()
	must(err)
	kind, err := connection.ConnectGetType()
	must(err)
	say("library", version, kind)
	capabilities, err := connection.ConnectGetCapabilities()
	must(err)
	say("architecture", element(capabilities, "host", "cpu", "arch"))
	_, memory, cpus, _, nodes, sockets, cores, threads, err := connection.NodeGetInfo()
	must(err)
	say("node", memory > 0, cpus, nodes*sockets*cores*threads >= cpus)
	domains, count, err := connection.ConnectListAllDomains(1, libvirt.ConnectListDomainsActive|libvirt.ConnectListDomainsInactive)
	must(err)
	say("domains", len(domains), count)
	networks, _, err := connection.ConnectListAllNetworks(1, 0)
	must(err)
	secure, err := connection.ConnectIsSecure()
	must(err)
	say("networks", len(networks), "secure", secure)
}

// life defines a machine, starts and ends it, and hears of each change.
func life(connection *libvirt.Libvirt, arguments []string) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	events, err := connection.SubscribeEvents(ctx, libvirt.DomainEventIDLifecycle, nil)
	must(err)

	domain, err := connection.DomainDefineXMLFlags(read(arguments[0]), libvirt.DomainDefineValidate)
	must(err)
	say("defined", domain.Name, domain.ID)
	must(connection.DomainSetAutostart(domain, 1))
	autostart, err := connection.DomainGetAutostart(domain)
	must(err)
	say("autostart", autostart)
	must(connection.DomainCreate(domain))
	domain, err = connection.DomainLookupByUUID(domain.UUID)
	must(err)
	now, reason := state(connection, domain)
	say("state", now == libvirt.DomainRunning, reason, domain.ID > 0)

	document, err := connection.DomainGetXMLDesc(domain, 0)
	must(err)
	say("document", element(document, "name"), element(document, "memory"), element(document, "devices", "emulator") != "")
	_, maximum, memory, vcpus, _, err := connection.DomainGetInfo(domain)
	must(err)
	say("info", maximum, memory, vcpus)
	records, err := connection.ConnectGetAllDomainStats([]libvirt.Domain{domain}, uint32(libvirt.DomainStatsState|libvirt.DomainStatsVCPU), 0)
	must(err)
	for _, record := range records {
		for _, parameter := range record.Params[:2] {
			say("statistics", record.Dom.Name, parameter.Field, parameter.Value.I)
		}
	}
	answer, err := connection.Run(domain.Name, []byte(`{"execute":"query-status"}`))
	must(err)
	say("monitor", bytes.Contains(answer, []byte(`"status":"running"`)))

	must(connection.DomainSuspend(domain))
	now, reason = state(connection, domain)
	say("suspended", now == libvirt.DomainPaused, reason)
	must(connection.DomainResume(domain))
	must(connection.DomainDestroyFlags(domain, libvirt.DomainDestroyGraceful))
	now, reason = state(connection, domain)
	say("destroyed", now == libvirt.DomainShutoff, reason)
	must(connection.DomainUndefineFlags(domain, libvirt.DomainUndefineNvram|libvirt.DomainUndefineManagedSave))
	_, err = connection.DomainLookupByName(domain.Name)
	say("gone", libvirt.IsNotFound(err))

	for event := range events {
		message := event.(*libvirt.DomainEventCallbackLifecycleMsg).Msg
		say("event", message.Dom.Name, libvirt.DomainEventType(message.Event), message.Detail)
		if libvirt.DomainEventType(message.Event) == libvirt.DomainEventUndefined {
			cancel()
			break
		}
	}
	for range events { // until it is closed: the event is then deregistered
	}
}

// refresh asks again while the end of an upload is still being seen to, as the provider does.
func refresh(connection *libvirt.Libvirt, pool libvirt.StoragePool) {
	var known libvirt.Error
	err := connection.StoragePoolRefresh(pool, 0)
	for errors.As(err, &known) && strings.Contains(known.Message, "has asynchronous jobs running") {
		time.Sleep(refreshPause)
		err = connection.StoragePoolRefresh(pool, 0)
	}
	must(err)
}

// resources makes what Terraform's provider makes of a pool, a volume with an image in it, and a domain with that volume.
func resources(connection *libvirt.Libvirt, arguments []string) {
	directory, image, document := arguments[0], arguments[1], read(arguments[2])
	_, err := connection.StoragePoolLookupByName("tf")
	var known libvirt.Error
	say("no pool", errors.As(err, &known) && known.Code == uint32(libvirt.ErrNoStoragePool))
	pool, err := connection.StoragePoolDefineXML(
		fmt.Sprintf("<pool type='dir'><name>tf</name><target><path>%s</path></target></pool>", directory), 0)
	must(err)
	must(connection.StoragePoolBuild(pool, 0))
	must(connection.StoragePoolSetAutostart(pool, 1))
	must(connection.StoragePoolCreate(pool, 0))
	must(connection.StoragePoolRefresh(pool, 0))
	pool, err = connection.StoragePoolLookupByUUID(pool.UUID)
	must(err)
	described, err := connection.StoragePoolGetXMLDesc(pool, 0)
	must(err)
	active, capacity, _, _, err := connection.StoragePoolGetInfo(pool)
	must(err)
	say("pool", pool.Name, element(described, "target", "path") == directory, active, capacity > 0)

	source, err := os.Open(image)
	must(err)
	status, err := source.Stat()
	must(err)
	volume, err := connection.StorageVolCreateXML(pool, fmt.Sprintf(`<volume><name>base.qcow2</name>
		<capacity unit='bytes'>%d</capacity><target><format type='qcow2'/><permissions><mode>644</mode></permissions></target>
		</volume>`, status.Size()), 0)
	must(err)
	must(connection.StorageVolUpload(volume, source, 0, uint64(status.Size()), 0))
	must(source.Close())
	refresh(connection, pool)
	volume, err = connection.StorageVolLookupByKey(volume.Key)
	must(err)
	var back bytes.Buffer
	must(connection.StorageVolDownload(volume, &back, 0, 0, 0))
	say("volume", volume.Pool, volume.Name, back.Len() == int(status.Size()), back.String() == read(image))

	over, err := connection.StorageVolCreateXML(pool, fmt.Sprintf(`<volume><name>disk.qcow2</name><capacity>33554432</capacity>
		<target><format type='qcow2'/></target>
		<backingStore><path>%s</path><format type='qcow2'/></backingStore></volume>`, volume.Key), 0)
	must(err)
	described, err = connection.StorageVolGetXMLDesc(over, 0)
	must(err)
	say("overlay", element(described, "capacity"), element(described, "backingStore", "path") == volume.Key)
	owner, err := connection.StoragePoolLookupByVolume(over)
	must(err)
	say("pool of it", owner.Name)

	domain, err := connection.DomainDefineXML(strings.Replace(document, "@VOLUME@", over.Key, 1))
	must(err)
	must(connection.DomainCreate(domain))
	now, _ := state(connection, domain)
	say("domain", domain.Name, now == libvirt.DomainRunning)
	addresses, err := connection.DomainInterfaceAddresses(domain, uint32(libvirt.DomainInterfaceAddressesSrcLease), 0)
	say("addresses", len(addresses), err)
}

// release is the provider's way back: what it made is looked up anew and taken away.
func release(connection *libvirt.Libvirt, _ []string) {
	pool, err := connection.StoragePoolLookupByName("tf")
	must(err)
	domains, _, err := connection.ConnectListAllDomains(1, 0)
	must(err)
	for _, domain := range domains {
		must(connection.DomainDestroy(domain))
		must(connection.DomainUndefineFlags(domain, libvirt.DomainUndefineNvram|libvirt.DomainUndefineSnapshotsMetadata|
			libvirt.DomainUndefineManagedSave|libvirt.DomainUndefineCheckpointsMetadata))
		say("domain released", domain.Name)
	}
	refresh(connection, pool)
	volumes, _, err := connection.StoragePoolListAllVolumes(pool, 1, 0)
	must(err)
	for _, volume := range volumes {
		must(connection.StorageVolDelete(volume, 0))
		say("volume released", volume.Name)
	}
	must(connection.StoragePoolDestroy(pool))
	must(connection.StoragePoolDelete(pool, 0))
	must(connection.StoragePoolUndefine(pool))
}

// until ends a stream when a text has come.
type until struct {
	text string
	seen bytes.Buffer
	done chan bool
	once sync.Once
}

func (it *until) Write(data []byte) (int, error) {
	count, err := it.seen.Write(data)
	if strings.Contains(it.seen.String(), it.text) {
		it.once.Do(func() { close(it.done) })
	}
	return count, err
}

// console reads a machine's console until it says a text; the stream ends with the machine.
func console(connection *libvirt.Libvirt, arguments []string) {
	domain, err := connection.DomainCreateXML(read(arguments[0]), 0)
	must(err)
	shown := &until{text: arguments[1], done: make(chan bool)}
	ended := make(chan error)
	go func() { ended <- connection.DomainOpenConsole(domain, nil, shown, uint32(libvirt.DomainConsoleForce)) }()
	select {
	case <-shown.done:
		say("console", arguments[1])
	case err = <-ended:
		must(fmt.Errorf("the console ended early: %v %q", err, shown.seen.String()))
	}
	must(connection.DomainDestroy(domain))
	say("end", <-ended)
}

// mistakes says the errors that programs tell apart.
func mistakes(connection *libvirt.Libvirt, arguments []string) {
	domain, err := connection.DomainDefineXML(read(arguments[0]))
	must(err)
	stranger := libvirt.Domain{Name: "stranger", UUID: libvirt.UUID{1, 2, 3}, ID: -1}
	attempt := func(what string, err error) {
		var known libvirt.Error
		if !errors.As(err, &known) {
			must(fmt.Errorf("%s: %v is no error of libvirt's", what, err))
		}
		say(what, known.Code, known.Message)
	}
	_, err = connection.DomainLookupByName("nobody")
	attempt("lookup", err)
	_, _, err = connection.DomainGetState(stranger, 0)
	attempt("stranger", err)
	attempt("destroy", connection.DomainDestroy(domain))
	_, err = connection.DomainDefineXML("<domain>")
	attempt("define", err)
	_, err = connection.NetworkLookupByName("default")
	attempt("network", err)
	_, err = connection.StorageVolLookupByKey("/nowhere")
	attempt("volume", err)
	_, err = connection.NodeDeviceCreateXML("<device/>", 0)
	attempt("device", err)
	_, err = connection.Run(domain.Name, []byte(`{"execute":"query-status"}`))
	attempt("monitor", err)
	must(connection.DomainUndefine(domain))
	attempt("again", connection.DomainUndefine(domain))
}

// parallel has several goroutines on one connection, each with a machine of its own.
func parallel(connection *libvirt.Libvirt, arguments []string) {
	document := read(arguments[0])
	var group sync.WaitGroup
	for worker := 0; worker < workers; worker++ {
		group.Add(1)
		go func(name string) {
			defer group.Done()
			for round := 0; round < rounds; round++ {
				domain, err := connection.DomainDefineXML(strings.Replace(document, "@NAME@", name, 1))
				must(err)
				if round%4 == 0 {
					must(connection.DomainCreate(domain))
					must(connection.DomainDestroy(domain))
				}
				text, err := connection.DomainGetXMLDesc(domain, 0)
				must(err)
				if element(text, "name") != name {
					must(fmt.Errorf("%s has the document of %s", name, element(text, "name")))
				}
				_, _, err = connection.ConnectListAllDomains(1, 0)
				must(err)
				must(connection.DomainUndefine(domain))
			}
		}(fmt.Sprintf("worker%d", worker))
	}
	group.Wait()
	_, count, err := connection.ConnectListAllDomains(1, 0)
	must(err)
	say("left", count)
}
