// sarama behind the questions of ../../README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"
	"moldau/interop/cell"
)

func codeOf(err error) (int, bool) {
	var code sarama.KError
	if errors.As(err, &code) {
		return int(code), true
	}
	var topic *sarama.TopicError
	if errors.As(err, &topic) {
		return int(topic.Err), true
	}
	var partition *sarama.TopicPartitionError
	if errors.As(err, &partition) {
		return int(partition.Err), true
	}
	return 0, false
}

func config(ask *cell.Ask) *sarama.Config {
	c := sarama.NewConfig()
	c.Version = sarama.MaxVersion
	c.Producer.Return.Successes = true
	c.Metadata.AllowAutoTopicCreation = false
	c.Metadata.RefreshFrequency = 2 * time.Second
	c.Consumer.MaxWaitTime = 100 * time.Millisecond
	c.Consumer.Return.Errors = true
	c.Consumer.Offsets.AutoCommit.Enable = false
	return c
}

var codecs = map[string]sarama.CompressionCodec{"": sarama.CompressionNone, "none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP,
	"snappy": sarama.CompressionSnappy, "lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD}
var acks = map[string]sarama.RequiredAcks{"": sarama.WaitForAll, "all": sarama.WaitForAll, "1": sarama.WaitForLocal, "0": sarama.NoResponse}

func produce(ask *cell.Ask) error {
	c := config(ask)
	c.Producer.RequiredAcks = acks[ask.Acks]
	c.Producer.Compression = codecs[ask.Codec]
	c.Producer.Flush.Frequency = 20 * time.Millisecond
	c.Producer.Idempotent = ask.Idempotent
	if ask.Idempotent {
		c.Net.MaxOpenRequests = 1
	}
	if ask.Limit > 0 {
		c.Producer.MaxMessageBytes = int(ask.Limit)
	}
	if ask.Partition != nil {
		c.Producer.Partitioner = sarama.NewManualPartitioner
	}
	producer, err := sarama.NewSyncProducer([]string{ask.Bootstrap}, c)
	if err != nil {
		return err
	}
	defer producer.Close()
	var messages []*sarama.ProducerMessage
	for _, r := range ask.Records {
		message := &sarama.ProducerMessage{Topic: ask.Topic}
		if r.Key != nil {
			message.Key = sarama.ByteEncoder(r.Key)
		}
		if r.Value != nil {
			message.Value = sarama.ByteEncoder(r.Value)
		}
		if ask.Partition != nil {
			message.Partition = *ask.Partition
		}
		if r.Timestamp != nil {
			message.Timestamp = time.UnixMilli(*r.Timestamp)
		}
		for _, h := range r.Headers {
			message.Headers = append(message.Headers, sarama.RecordHeader{Key: []byte(h.Name), Value: h.Value})
		}
		messages = append(messages, message)
	}
	if err := producer.SendMessages(messages); err != nil {
		var all sarama.ProducerErrors
		if errors.As(err, &all) {
			return all[0].Err
		}
		return err
	}
	for _, message := range messages {
		cell.Say(cell.M{"partition": message.Partition, "offset": message.Offset})
	}
	return nil
}

func sayRecord(m *sarama.ConsumerMessage, event string) {
	at := m.Timestamp.UnixMilli()
	said := cell.Record{Event: event, Partition: m.Partition, Offset: m.Offset, Timestamp: &at, Key: m.Key, Value: m.Value}
	for _, h := range m.Headers {
		said.Headers = append(said.Headers, cell.Header{Name: string(h.Key), Value: h.Value})
	}
	cell.Say(said)
}

func consume(ask *cell.Ask) error {
	consumer, err := sarama.NewConsumer([]string{ask.Bootstrap}, config(ask))
	if err != nil {
		return err
	}
	defer consumer.Close()
	partition, err := consumer.ConsumePartition(ask.Topic, *ask.Partition, ask.Offset)
	if err != nil {
		return err
	}
	defer partition.AsyncClose()
	late := time.After(ask.Timeout())
	for count := 0; count < ask.Count; {
		select {
		case message := <-partition.Messages():
			sayRecord(message, "")
			count++
		case problem := <-partition.Errors():
			return problem.Err
		case <-late:
			return fmt.Errorf("%d of %d records came", count, ask.Count)
		}
	}
	return nil
}

// ---- groups
type handler struct{}

var member struct {
	group    sarama.ConsumerGroup
	sessions chan sarama.ConsumerGroupSession
	session  sarama.ConsumerGroupSession
	cancel   context.CancelFunc
	stopped  chan struct{}
}

func (handler) Setup(session sarama.ConsumerGroupSession) error {
	member.session = session
	var all []int32
	for _, list := range session.Claims() {
		all = append(all, list...)
	}
	cell.SayAssigned(all)
	return nil
}

func (handler) Cleanup(sarama.ConsumerGroupSession) error {
	cell.SayAssigned(nil)
	return nil
}

func (handler) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case message, open := <-claim.Messages():
			if !open {
				return nil
			}
			sayRecord(message, "record")
			session.MarkMessage(message, "")
		case <-session.Context().Done():
			return nil
		}
	}
}

func join(ask *cell.Ask) error {
	if ask.Protocol == "consumer" {
		return cell.Cannot("classic groups only")
	}
	c := config(ask)
	c.Consumer.Group.Session.Timeout = 10 * time.Second
	c.Consumer.Group.Heartbeat.Interval = 500 * time.Millisecond
	c.Consumer.Group.InstanceId = ask.Instance
	c.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{sarama.NewBalanceStrategyRoundRobin()}
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	if ask.Reset == "latest" {
		c.Consumer.Offsets.Initial = sarama.OffsetNewest
	}
	group, err := sarama.NewConsumerGroup([]string{ask.Bootstrap}, ask.Group, c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	member.group, member.cancel, member.stopped = group, cancel, make(chan struct{})
	go func() {
		for err := range group.Errors() {
			cell.Say(cell.M{"event": "error", "text": err.Error()})
		}
	}()
	go func() {
		defer close(member.stopped)
		for ctx.Err() == nil {
			if err := group.Consume(ctx, []string{ask.Topic}, handler{}); err != nil {
				cell.Say(cell.M{"event": "error", "text": err.Error()})
			}
		}
	}()
	return nil
}

func commit(*cell.Ask) error {
	member.session.Commit()
	return nil
}

func leave(*cell.Ask) error {
	member.cancel()
	<-member.stopped
	return member.group.Close()
}

// ---- administration
func with(handler func(sarama.ClusterAdmin, *cell.Ask) error) func(*cell.Ask) error {
	return func(ask *cell.Ask) error {
		admin, err := sarama.NewClusterAdmin([]string{ask.Bootstrap}, config(ask))
		if err != nil {
			return err
		}
		defer admin.Close()
		return handler(admin, ask)
	}
}

func listOffsets(ask *cell.Ask) error {
	client, err := sarama.NewClient([]string{ask.Bootstrap}, config(ask))
	if err != nil {
		return err
	}
	defer client.Close()
	at := ask.Time()
	offset, err := client.GetOffset(ask.Topic, *ask.Partition, at)
	if err != nil {
		return err
	}
	cell.Say(cell.M{"offset": offset})
	return nil
}

func commitOffsets(ask *cell.Ask) error {
	client, err := sarama.NewClient([]string{ask.Bootstrap}, config(ask))
	if err != nil {
		return err
	}
	defer client.Close()
	manager, err := sarama.NewOffsetManagerFromClient(ask.Group, client)
	if err != nil {
		return err
	}
	defer manager.Close()
	for p, offset := range ask.Offsets {
		partition, err := manager.ManagePartition(ask.Topic, p)
		if err != nil {
			return err
		}
		partition.MarkOffset(offset, "")
		defer partition.AsyncClose()
	}
	manager.Commit()
	return nil
}

func committed(admin sarama.ClusterAdmin, ask *cell.Ask) error {
	found, err := admin.ListConsumerGroupOffsets(ask.Group, map[string][]int32{ask.Topic: ask.PartitionList()})
	if err != nil {
		return err
	}
	for _, p := range ask.PartitionList() {
		block := found.GetBlock(ask.Topic, p)
		if block == nil || block.Offset < 0 {
			cell.Say(cell.M{"partition": p, "offset": nil})
		} else {
			cell.Say(cell.M{"partition": p, "offset": block.Offset})
		}
	}
	return nil
}

func createTopic(admin sarama.ClusterAdmin, ask *cell.Ask) error {
	configs := map[string]*string{}
	for k, v := range ask.Configs {
		configs[k] = &v
	}
	return admin.CreateTopic(ask.Topic, &sarama.TopicDetail{NumPartitions: ask.PartitionCount(), ReplicationFactor: 1, ConfigEntries: configs}, false)
}

func deleteTopic(admin sarama.ClusterAdmin, ask *cell.Ask) error { return admin.DeleteTopic(ask.Topic) }

func createPartitions(admin sarama.ClusterAdmin, ask *cell.Ask) error {
	return admin.CreatePartitions(ask.Topic, int32(ask.Total), nil, false)
}

func listTopics(admin sarama.ClusterAdmin, ask *cell.Ask) error {
	found, err := admin.ListTopics()
	if err != nil {
		return err
	}
	names := []string{}
	for name := range found {
		names = append(names, name)
	}
	cell.Say(cell.M{"topics": names})
	return nil
}

func describeTopic(admin sarama.ClusterAdmin, ask *cell.Ask) error {
	found, err := admin.DescribeTopics([]string{ask.Topic})
	if err != nil {
		return err
	}
	if found[0].Err != sarama.ErrNoError {
		return found[0].Err
	}
	cell.Say(cell.M{"partitions": len(found[0].Partitions)})
	return nil
}

func describeConfig(admin sarama.ClusterAdmin, ask *cell.Ask) error {
	found, err := admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: ask.Topic, ConfigNames: []string{ask.Key}})
	if err != nil {
		return err
	}
	cell.Say(cell.M{"value": found[0].Value})
	return nil
}

func alterConfig(admin sarama.ClusterAdmin, ask *cell.Ask) error {
	return admin.IncrementalAlterConfig(sarama.TopicResource, ask.Topic, map[string]sarama.IncrementalAlterConfigsEntry{
		ask.Key: {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &ask.Value}}, false)
}

func deleteRecords(admin sarama.ClusterAdmin, ask *cell.Ask) error {
	return admin.DeleteRecords(ask.Topic, map[int32]int64{*ask.Partition: ask.Before})
}

func listGroups(admin sarama.ClusterAdmin, ask *cell.Ask) error {
	found, err := admin.ListConsumerGroups()
	if err != nil {
		return err
	}
	names := []string{}
	for name := range found {
		names = append(names, name)
	}
	cell.Say(cell.M{"groups": names})
	return nil
}

func describeGroup(admin sarama.ClusterAdmin, ask *cell.Ask) error {
	found, err := admin.DescribeConsumerGroups([]string{ask.Group})
	if err != nil {
		return err
	}
	if found[0].Err != sarama.ErrNoError {
		return found[0].Err
	}
	cell.Say(cell.M{"state": found[0].State, "members": len(found[0].Members)})
	return nil
}

func deleteGroup(admin sarama.ClusterAdmin, ask *cell.Ask) error {
	return admin.DeleteConsumerGroup(ask.Group)
}

func main() {
	about := func(*cell.Ask) error {
		cell.Say(cell.M{"client": "sarama", "version": cell.Version("github.com/IBM/sarama")})
		return nil
	}
	cell.Serve(map[string]func(*cell.Ask) error{"about": about, "produce": produce, "consume": consume, "member": join, "commit": commit,
		"leave": leave, "list_offsets": listOffsets, "commit_offsets": commitOffsets, "committed": with(committed),
		"create_topic": with(createTopic), "delete_topic": with(deleteTopic), "create_partitions": with(createPartitions),
		"list_topics": with(listTopics), "describe_topic": with(describeTopic), "describe_config": with(describeConfig),
		"alter_config": with(alterConfig), "delete_records": with(deleteRecords), "list_groups": with(listGroups),
		"describe_group": with(describeGroup), "delete_group": with(deleteGroup)}, codeOf)
}
