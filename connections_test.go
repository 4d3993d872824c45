package main

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"nameplate/internal/clientaddr"
)

// Each byte by itself would cost as much as a thousand.
func TestAClientThatSendsByteByByteIsReadSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in, l, accepted, _ := accept(t, 0)
		defer l.Close()
		client, server := net.Pipe()
		in.conns <- from{server, "192.0.2.1:1"}
		conn := (<-accepted).(*connection)
		conn.lingers.Store(true)
		reads := 0
		var sending sync.WaitGroup
		sending.Go(func() {
			for {
				if _, err := client.Write([]byte("x")); err != nil { // each waits for its read
					return
				}
				reads++
			}
		})
		conn.Close()
		sending.Wait()
		if want := maxShort + int(lingerTime/gatherTime); reads < want || reads > want+1 {
			t.Errorf("%d reads within %s, want %d", reads, lingerTime, want)
		}
	})
}

func TestAConnectionLingersUnlessItsTimeIsUp(t *testing.T) {
	for _, test := range []struct {
		name  string
		how   func(*limitedListener, *connection)
		close func(*connection) error
		took  time.Duration
	}{
		{"where it is to linger", func(_ *limitedListener, c *connection) { c.lingers.Store(true) }, (*connection).Close, lingerTime},
		{"where it isn't", func(*limitedListener, *connection) {}, (*connection).Close, 0},
		{"where net/http wants it", func(*limitedListener, *connection) {}, (*connection).CloseWrite, lingerTime},
		{"where the client was late", func(_ *limitedListener, c *connection) { c.late.Store(true) }, (*connection).CloseWrite, 0},
		// net/http closes connections one after the other then.
		{"while the server stops", func(l *limitedListener, c *connection) { c.lingers.Store(true); l.Close() }, (*connection).Close, 0},
		{"and then the server stops", func(l *limitedListener, c *connection) {
			c.lingers.Store(true)
			time.AfterFunc(time.Second, func() { l.Close() })
		}, (*connection).Close, time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			in, l, accepted, _ := accept(t, 0)
			in.connect(t, "192.0.2.1:1")
			conn := (<-accepted).(*connection)
			test.how(l, conn)
			begun := time.Now()
			if err := test.close(conn); err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
			if took := time.Since(begun); took != test.took {
				t.Errorf("%s: it took %s, want %s", test.name, took, test.took)
			}
			conn.Conn.Close()
			if l.listening.Err() == nil {
				l.Close()
			}
		})
	}
}

func (l *memoryListener) connect(t *testing.T, addr string) {
	t.Helper()
	client, server := net.Pipe()
	t.Cleanup(func() { client.Close() })
	l.conns <- from{server, addr}
}

// from is a connection that comes from an address.
type from struct {
	net.Conn
	addr string
}

func (f from) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(f.addr)) }

// accept listens with a limit, and sends what is accepted until there are no more.
func accept(t *testing.T, perAddress int) (in *memoryListener, l *limitedListener, accepted chan net.Conn, log *logBuffer) {
	t.Helper()
	proxies, err := clientaddr.ParseProxies([]string{"10.0.0.0/8", "2001:db8::1"})
	if err != nil {
		t.Fatal(err)
	}
	in, accepted, log = &memoryListener{conns: make(chan net.Conn)}, make(chan net.Conn, 1000), newLogBuffer()
	l = limitConnections(in, 1000, perAddress, proxies, slog.New(slog.NewTextHandler(log, nil)))
	go func() {
		defer close(accepted)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()
	return in, l, accepted, log
}

// settled are the connections that were accepted, when all were accepted or closed.
func settled(t *testing.T, in *memoryListener, accepted chan net.Conn) (open []net.Conn) {
	t.Helper()
	const last = "203.0.113.1:1"
	in.connect(t, last)
	for conn := range accepted {
		if conn.RemoteAddr().String() == last {
			conn.Close()
			return open
		}
		open = append(open, conn)
	}
	return open
}

func TestAnAddressHasSoManyConnections(t *testing.T) {
	for _, test := range []struct {
		perAddress int
		addr       string // # is the number of the connection
		most       int    // of ten
	}{
		{3, "192.0.2.1:#", 3},
		{3, "192.0.2.#:1", 10},
		{3, "[2001:db8::a#]:1", 3},
		{3, "[2001:db8:0:#::1]:1", 10},
		{3, "10.0.0.1:#", 10}, // a proxy
		{3, "[2001:db8::1]:#", 10},
		{0, "192.0.2.1:#", 10},
	} {
		in, l, accepted, log := accept(t, test.perAddress)
		connect := func(n int) { in.connect(t, strings.ReplaceAll(test.addr, "#", fmt.Sprint(n))) }
		for n := range 10 {
			connect(n + 1)
		}
		open := settled(t, in, accepted)
		if len(open) != test.most {
			t.Errorf("%+v: %d connections", test, len(open))
		}
		// One that is closed makes room for one, however often that is done.
		open[0].Close()
		open[0].Close()
		connect(1)
		connect(1)
		more := settled(t, in, accepted)
		if want := map[bool]int{true: 2, false: 1}[test.most == 10]; len(more) != want {
			t.Errorf("%+v: afterwards %d more, want %d", test, len(more), want)
		}
		for _, conn := range slices.Concat(open, more) {
			conn.Close()
		}
		in.Close()
		<-accepted // its end
		if len(l.open) != 0 || !l.slots.TryAcquire(1000) {
			t.Errorf("%+v: of closed connections, %v are counted", test, l.open)
		}
		if warned := strings.Count(log.String(), "too many connections"); warned != min(1, 10-test.most) || strings.Contains(log.String(), "192.0.2") {
			t.Errorf("%+v: the log has %s", test, log)
		}
	}
}

func TestAHundredConnectionsThatCloseAtOnceAreCountedRight(t *testing.T) {
	in, l, accepted, _ := accept(t, 100)
	var closing sync.WaitGroup
	for range 5 {
		for range 100 {
			in.connect(t, "192.0.2.1:1")
			for _, conn := range settled(t, in, accepted) {
				for range 2 {
					closing.Go(func() { conn.Close() })
				}
			}
		}
		closing.Wait()
	}
	in.Close()
	if _, more := <-accepted; more || len(l.open) != 0 || !l.slots.TryAcquire(1000) {
		t.Errorf("%v are left", l.open)
	}
}
