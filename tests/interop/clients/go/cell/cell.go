// Package cell is the loop of the Go programs: one JSON question a line on stdin, JSON answers on stdout (../../README.md has the questions).
package cell

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sort"
	"sync"
	"time"
)

// Header is a name and a value that travels as base64, as []byte does in JSON.
type Header struct {
	Name  string
	Value []byte
}

func (h *Header) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, &[]any{&h.Name, &h.Value})
}

func (h Header) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{h.Name, h.Value})
}

type Record struct {
	Event     string   `json:"event,omitempty"`
	Partition int32    `json:"partition"`
	Offset    int64    `json:"offset"`
	Timestamp *int64   `json:"timestamp"`
	Key       []byte   `json:"key"`
	Value     []byte   `json:"value"`
	Headers   []Header `json:"headers"`
}

// Ask is a question with all the fields that any question has.
type Ask struct {
	Do         string            `json:"do"`
	Bootstrap  string            `json:"bootstrap"`
	Seconds    float64           `json:"seconds"`
	Topic      string            `json:"topic"`
	Partition  *int32            `json:"partition"`
	Partitions json.RawMessage   `json:"partitions"`
	Configs    map[string]string `json:"configs"`
	Codec      string            `json:"codec"`
	Acks       string            `json:"acks"`
	Idempotent bool              `json:"idempotent"`
	Limit      int32             `json:"limit"`
	Records    []Record          `json:"records"`
	Offset     int64             `json:"offset"`
	Count      int               `json:"count"`
	At         json.RawMessage   `json:"at"`
	Group      string            `json:"group"`
	Protocol   string            `json:"protocol"`
	Reset      string            `json:"reset"`
	Instance   string            `json:"instance"`
	Offsets    map[int32]int64   `json:"offsets"`
	Key        string            `json:"key"`
	Value      string            `json:"value"`
	Total      int               `json:"total"`
	Before     int64             `json:"before"`
}

// Timeout is how long the answer may take.
func (a *Ask) Timeout() time.Duration {
	return time.Duration(a.Seconds * float64(time.Second))
}

// Count of partitions, for create_topic.
func (a *Ask) PartitionCount() (n int32) {
	_ = json.Unmarshal(a.Partitions, &n)
	return n
}

// PartitionList, for committed.
func (a *Ask) PartitionList() (list []int32) {
	_ = json.Unmarshal(a.Partitions, &list)
	return list
}

// Time that list_offsets asks for: -2 earliest, -1 latest, else milliseconds.
func (a *Ask) Time() int64 {
	switch string(a.At) {
	case `"earliest"`:
		return -2
	case `"latest"`:
		return -1
	}
	var at int64
	_ = json.Unmarshal(a.At, &at)
	return at
}

// Cannot: the client has no such feature.
type Cannot string

func (c Cannot) Error() string { return string(c) }

// Coded is an error with Kafka's code.
type Coded struct {
	Code int
	Text string
}

func (c Coded) Error() string { return c.Text }

var out sync.Mutex

func Say(what any) {
	text, err := json.Marshal(what)
	if err != nil {
		panic(err)
	}
	out.Lock()
	defer out.Unlock()
	os.Stdout.Write(append(text, '\n'))
}

// Version of a module that this program was built with.
func Version(module string) string {
	info, _ := debug.ReadBuildInfo()
	for _, dep := range info.Deps {
		if dep.Path == module {
			return dep.Version
		}
	}
	return "?"
}

type M map[string]any

func SayAssigned(partitions []int32) {
	list := append([]int32{}, partitions...)
	sort.Slice(list, func(a, b int) bool { return list[a] < list[b] })
	Say(M{"event": "assigned", "partitions": list})
}

// Serve answers until stdin ends; codeOf finds Kafka's code in an error of the client.
func Serve(handlers map[string]func(*Ask) error, codeOf func(error) (int, bool)) {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		ask := &Ask{}
		if err := json.Unmarshal(line, ask); err != nil {
			Say(M{"failed": err.Error()})
			continue
		}
		answer(handlers[ask.Do], ask, codeOf)
	}
}

func answer(handler func(*Ask) error, ask *Ask, codeOf func(error) (int, bool)) {
	if handler == nil {
		Say(M{"cannot": fmt.Sprintf("no %s in this client", ask.Do)})
		return
	}
	err := handler(ask)
	var cannot Cannot
	var coded Coded
	switch {
	case err == nil:
		Say(M{"done": true})
	case errors.As(err, &cannot):
		Say(M{"cannot": cannot.Error()})
	case errors.As(err, &coded):
		Say(M{"failed": coded.Text, "code": coded.Code})
	default:
		said := M{"failed": err.Error()}
		if code, ok := codeOf(err); ok {
			said["code"] = code
		}
		Say(said)
	}
}
