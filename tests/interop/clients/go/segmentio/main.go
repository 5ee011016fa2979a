// segmentio's kafka-go behind the questions of ../../README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"moldau/interop/cell"
)

func codeOf(err error) (int, bool) {
	var code kafka.Error
	if errors.As(err, &code) {
		return int(code), true
	}
	var large kafka.MessageTooLargeError
	if errors.As(err, &large) {
		return int(kafka.MessageSizeTooLarge), true
	}
	return 0, false
}

// Each question has a transport of its own: one that is shared knows nothing of a new topic for seconds.
func client(ask *cell.Ask) *kafka.Client {
	return &kafka.Client{Addr: kafka.TCP(ask.Bootstrap), Timeout: ask.Timeout(), Transport: &kafka.Transport{}}
}

func within(ask *cell.Ask) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), ask.Timeout())
}

var codecs = map[string]kafka.Compression{"gzip": kafka.Gzip, "snappy": kafka.Snappy, "lz4": kafka.Lz4, "zstd": kafka.Zstd}
var acks = map[string]kafka.RequiredAcks{"": kafka.RequireAll, "all": kafka.RequireAll, "1": kafka.RequireOne, "0": kafka.RequireNone}

// The Writer asks for a partition by a balancer; it says where a record went in its completion.
func produce(ask *cell.Ask) error {
	if ask.Idempotent {
		return cell.Cannot("no idempotent writer")
	}
	var messages []kafka.Message
	for n, r := range ask.Records {
		message := kafka.Message{Key: r.Key, Value: r.Value, WriterData: n}
		if r.Timestamp != nil {
			message.Time = time.UnixMilli(*r.Timestamp)
		}
		for _, h := range r.Headers {
			message.Headers = append(message.Headers, kafka.Header{Key: h.Name, Value: h.Value})
		}
		messages = append(messages, message)
	}
	var mutex sync.Mutex
	where := make([]kafka.Message, len(messages))
	writer := &kafka.Writer{Addr: kafka.TCP(ask.Bootstrap), Topic: ask.Topic, Balancer: &kafka.Hash{}, BatchTimeout: 20 * time.Millisecond,
		RequiredAcks: acks[ask.Acks], Compression: codecs[ask.Codec], MaxAttempts: 3, Transport: &kafka.Transport{}, Completion: func(done []kafka.Message, err error) {
			mutex.Lock()
			defer mutex.Unlock()
			for _, message := range done {
				where[message.WriterData.(int)] = message
			}
		}}
	if ask.Partition != nil {
		writer.Balancer = kafka.BalancerFunc(func(kafka.Message, ...int) int { return int(*ask.Partition) })
	}
	if ask.Limit > 0 {
		writer.BatchBytes = int64(ask.Limit)
	}
	defer writer.Close()
	ctx, cancel := within(ask)
	defer cancel()
	if err := writer.WriteMessages(ctx, messages...); err != nil {
		var each kafka.WriteErrors
		if errors.As(err, &each) {
			for _, one := range each {
				if one != nil {
					return one
				}
			}
		}
		return err
	}
	mutex.Lock()
	defer mutex.Unlock()
	for _, message := range where {
		cell.Say(cell.M{"partition": message.Partition, "offset": message.Offset})
	}
	return nil
}

func sayRecord(m kafka.Message, event string) {
	at := m.Time.UnixMilli()
	said := cell.Record{Event: event, Partition: int32(m.Partition), Offset: m.Offset, Timestamp: &at, Key: m.Key, Value: m.Value}
	for _, h := range m.Headers {
		said.Headers = append(said.Headers, cell.Header{Name: h.Key, Value: h.Value})
	}
	cell.Say(said)
}

func reader(bootstrap, topic string, partition int, offset int64) (*kafka.Reader, error) {
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{bootstrap}, Topic: topic, Partition: partition, MaxBytes: 8 << 20,
		MaxWait: 100 * time.Millisecond, OffsetOutOfRangeError: true, MaxAttempts: 3})
	return r, r.SetOffset(offset)
}

func consume(ask *cell.Ask) error {
	r, err := reader(ask.Bootstrap, ask.Topic, int(*ask.Partition), ask.Offset)
	if err != nil {
		return err
	}
	defer r.Close()
	ctx, cancel := within(ask)
	defer cancel()
	for count := 0; count < ask.Count; count++ {
		message, err := r.ReadMessage(ctx)
		if err != nil {
			return err
		}
		sayRecord(message, "")
	}
	return nil
}

// ---- groups: the library's ConsumerGroup, whose generations tell what is assigned; its Reader hides that.
var member struct {
	sync.Mutex
	topic      string
	group      *kafka.ConsumerGroup
	generation *kafka.Generation
	read       map[int]int64
	cancel     context.CancelFunc
	stopped    chan struct{}
}

func join(ask *cell.Ask) error {
	if ask.Protocol == "consumer" {
		return cell.Cannot("classic groups only")
	}
	if ask.Instance != "" {
		return cell.Cannot("no static members")
	}
	start := kafka.FirstOffset
	if ask.Reset == "latest" {
		start = kafka.LastOffset
	}
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{ID: ask.Group, Brokers: []string{ask.Bootstrap}, Topics: []string{ask.Topic},
		StartOffset: start, HeartbeatInterval: 500 * time.Millisecond, SessionTimeout: 10 * time.Second, RebalanceTimeout: 10 * time.Second,
		JoinGroupBackoff: 500 * time.Millisecond})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	member.topic, member.group, member.cancel, member.stopped = ask.Topic, group, cancel, make(chan struct{})
	bootstrap := ask.Bootstrap
	go func() {
		defer close(member.stopped)
		for ctx.Err() == nil {
			generation, err := group.Next(ctx)
			if err != nil {
				if ctx.Err() == nil {
					cell.Say(cell.M{"event": "error", "text": err.Error()})
				}
				continue
			}
			begin(generation, bootstrap, start)
		}
	}()
	return nil
}

func begin(generation *kafka.Generation, bootstrap string, start int64) {
	member.Lock()
	member.generation, member.read = generation, map[int]int64{}
	member.Unlock()
	var list []int32
	for _, assignment := range generation.Assignments[member.topic] {
		list = append(list, int32(assignment.ID))
		id, offset := assignment.ID, assignment.Offset
		generation.Start(func(ctx context.Context) { follow(ctx, bootstrap, id, offset, start) })
	}
	cell.SayAssigned(list)
}

// follow reads one partition until its generation ends.
func follow(ctx context.Context, bootstrap string, partition int, offset, start int64) {
	r, err := reader(bootstrap, member.topic, partition, offset)
	for ctx.Err() == nil && err == nil {
		var message kafka.Message
		message, err = r.ReadMessage(ctx)
		if errors.Is(err, kafka.OffsetOutOfRange) {
			r.Close()
			r, err = reader(bootstrap, member.topic, partition, start)
			continue
		}
		if err == nil {
			sayRecord(message, "record")
			member.Lock()
			member.read[partition] = message.Offset + 1
			member.Unlock()
		}
	}
	if err != nil && ctx.Err() == nil {
		cell.Say(cell.M{"event": "error", "text": err.Error()})
	}
	r.Close()
}

func commit(*cell.Ask) error {
	member.Lock()
	defer member.Unlock()
	return member.generation.CommitOffsets(map[string]map[int]int64{member.topic: member.read})
}

func leave(*cell.Ask) error {
	member.cancel()
	err := member.group.Close()
	<-member.stopped
	return err
}

// ---- administration
func listOffsets(ask *cell.Ask) error {
	ctx, cancel := within(ask)
	defer cancel()
	partition := int(*ask.Partition)
	request := kafka.TimeOffsetOf(partition, time.UnixMilli(ask.Time()))
	switch ask.Time() {
	case -2:
		request = kafka.FirstOffsetOf(partition)
	case -1:
		request = kafka.LastOffsetOf(partition)
	}
	found, err := client(ask).ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{ask.Topic: {request}}})
	if err != nil {
		return err
	}
	one := found.Topics[ask.Topic][0]
	if one.Error != nil {
		return one.Error
	}
	switch ask.Time() {
	case -2:
		cell.Say(cell.M{"offset": one.FirstOffset})
	case -1:
		cell.Say(cell.M{"offset": one.LastOffset})
	default:
		for offset := range one.Offsets {
			cell.Say(cell.M{"offset": offset})
		}
	}
	return nil
}

func commitOffsets(ask *cell.Ask) error {
	ctx, cancel := within(ask)
	defer cancel()
	var list []kafka.OffsetCommit
	for p, o := range ask.Offsets {
		list = append(list, kafka.OffsetCommit{Partition: int(p), Offset: o})
	}
	done, err := client(ask).OffsetCommit(ctx, &kafka.OffsetCommitRequest{GroupID: ask.Group, GenerationID: -1,
		Topics: map[string][]kafka.OffsetCommit{ask.Topic: list}})
	if err != nil {
		return err
	}
	for _, one := range done.Topics[ask.Topic] {
		if one.Error != nil {
			return one.Error
		}
	}
	return nil
}

func committed(ask *cell.Ask) error {
	ctx, cancel := within(ask)
	defer cancel()
	var list []int
	for _, p := range ask.PartitionList() {
		list = append(list, int(p))
	}
	found, err := client(ask).OffsetFetch(ctx, &kafka.OffsetFetchRequest{GroupID: ask.Group, Topics: map[string][]int{ask.Topic: list}})
	if err != nil {
		return err
	}
	if found.Error != nil {
		return found.Error
	}
	for _, one := range found.Topics[ask.Topic] {
		if one.CommittedOffset < 0 {
			cell.Say(cell.M{"partition": one.Partition, "offset": nil})
		} else {
			cell.Say(cell.M{"partition": one.Partition, "offset": one.CommittedOffset})
		}
	}
	return nil
}

func createTopic(ask *cell.Ask) error {
	ctx, cancel := within(ask)
	defer cancel()
	topic := kafka.TopicConfig{Topic: ask.Topic, NumPartitions: int(ask.PartitionCount()), ReplicationFactor: 1}
	for k, v := range ask.Configs {
		topic.ConfigEntries = append(topic.ConfigEntries, kafka.ConfigEntry{ConfigName: k, ConfigValue: v})
	}
	done, err := client(ask).CreateTopics(ctx, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{topic}})
	if err != nil {
		return err
	}
	return done.Errors[ask.Topic]
}

func deleteTopic(ask *cell.Ask) error {
	ctx, cancel := within(ask)
	defer cancel()
	done, err := client(ask).DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: []string{ask.Topic}})
	if err != nil {
		return err
	}
	return done.Errors[ask.Topic]
}

func createPartitions(ask *cell.Ask) error {
	ctx, cancel := within(ask)
	defer cancel()
	done, err := client(ask).CreatePartitions(ctx, &kafka.CreatePartitionsRequest{
		Topics: []kafka.TopicPartitionsConfig{{Name: ask.Topic, Count: int32(ask.Total)}}})
	if err != nil {
		return err
	}
	return done.Errors[ask.Topic]
}

func metadata(ask *cell.Ask, topics ...string) ([]kafka.Topic, error) {
	ctx, cancel := within(ask)
	defer cancel()
	found, err := client(ask).Metadata(ctx, &kafka.MetadataRequest{Topics: topics})
	if err != nil {
		return nil, err
	}
	return found.Topics, nil
}

func listTopics(ask *cell.Ask) error {
	found, err := metadata(ask)
	if err != nil {
		return err
	}
	names := []string{}
	for _, topic := range found {
		names = append(names, topic.Name)
	}
	cell.Say(cell.M{"topics": names})
	return nil
}

func describeTopic(ask *cell.Ask) error {
	found, err := metadata(ask, ask.Topic)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return fmt.Errorf("no such topic in the answer")
	}
	if found[0].Error != nil {
		return found[0].Error
	}
	cell.Say(cell.M{"partitions": len(found[0].Partitions)})
	return nil
}

func describeConfig(ask *cell.Ask) error {
	ctx, cancel := within(ask)
	defer cancel()
	found, err := client(ask).DescribeConfigs(ctx, &kafka.DescribeConfigsRequest{Resources: []kafka.DescribeConfigRequestResource{
		{ResourceType: kafka.ResourceTypeTopic, ResourceName: ask.Topic, ConfigNames: []string{ask.Key}}}})
	if err != nil {
		return err
	}
	if found.Resources[0].Error != nil {
		return found.Resources[0].Error
	}
	cell.Say(cell.M{"value": found.Resources[0].ConfigEntries[0].ConfigValue})
	return nil
}

func alterConfig(ask *cell.Ask) error {
	ctx, cancel := within(ask)
	defer cancel()
	done, err := client(ask).IncrementalAlterConfigs(ctx, &kafka.IncrementalAlterConfigsRequest{Resources: []kafka.IncrementalAlterConfigsRequestResource{
		{ResourceType: kafka.ResourceTypeTopic, ResourceName: ask.Topic, Configs: []kafka.IncrementalAlterConfigsRequestConfig{
			{Name: ask.Key, Value: ask.Value, ConfigOperation: kafka.ConfigOperationSet}}}}})
	if err != nil {
		return err
	}
	return done.Resources[0].Error
}

func listGroups(ask *cell.Ask) error {
	ctx, cancel := within(ask)
	defer cancel()
	found, err := client(ask).ListGroups(ctx, &kafka.ListGroupsRequest{})
	if err != nil {
		return err
	}
	names := []string{}
	for _, group := range found.Groups {
		names = append(names, group.GroupID)
	}
	cell.Say(cell.M{"groups": names})
	return found.Error
}

func describeGroup(ask *cell.Ask) error {
	ctx, cancel := within(ask)
	defer cancel()
	found, err := client(ask).DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{ask.Group}})
	if err != nil {
		return err
	}
	cell.Say(cell.M{"state": found.Groups[0].GroupState, "members": len(found.Groups[0].Members)})
	return found.Groups[0].Error
}

func deleteGroup(ask *cell.Ask) error {
	ctx, cancel := within(ask)
	defer cancel()
	done, err := client(ask).DeleteGroups(ctx, &kafka.DeleteGroupsRequest{GroupIDs: []string{ask.Group}})
	if err != nil {
		return err
	}
	return done.Errors[ask.Group]
}

func main() {
	about := func(*cell.Ask) error {
		cell.Say(cell.M{"client": "kafka-go", "version": cell.Version("github.com/segmentio/kafka-go"), "blurs": true})
		return nil
	}
	cell.Serve(map[string]func(*cell.Ask) error{"about": about, "produce": produce, "consume": consume, "member": join, "commit": commit,
		"leave": leave, "list_offsets": listOffsets, "commit_offsets": commitOffsets, "committed": committed, "create_topic": createTopic,
		"delete_topic": deleteTopic, "create_partitions": createPartitions, "list_topics": listTopics, "describe_topic": describeTopic,
		"describe_config": describeConfig, "alter_config": alterConfig, "list_groups": listGroups, "describe_group": describeGroup,
		"delete_group": deleteGroup}, codeOf)
}
