// franz-go behind the questions of ../../README.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"moldau/interop/cell"
)

func codeOf(err error) (int, bool) {
	var known *kerr.Error
	if errors.As(err, &known) {
		return int(known.Code), true
	}
	return 0, false
}

func within(ask *cell.Ask) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), ask.Timeout())
}

var codecs = map[string]kgo.CompressionCodec{"": kgo.NoCompression(), "none": kgo.NoCompression(), "gzip": kgo.GzipCompression(),
	"snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression()}
var acks = map[string]kgo.Acks{"": kgo.AllISRAcks(), "all": kgo.AllISRAcks(), "1": kgo.LeaderAck(), "0": kgo.NoAck()}

func produce(ask *cell.Ask) error {
	options := []kgo.Opt{kgo.SeedBrokers(ask.Bootstrap), kgo.ProducerBatchCompression(codecs[ask.Codec]), kgo.RequiredAcks(acks[ask.Acks]),
		kgo.ProducerLinger(20 * time.Millisecond)}
	if !ask.Idempotent {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	if ask.Limit > 0 {
		options = append(options, kgo.ProducerBatchMaxBytes(ask.Limit))
	}
	if ask.Partition != nil {
		options = append(options, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return err
	}
	defer client.Close()
	var records []*kgo.Record
	for _, r := range ask.Records {
		record := &kgo.Record{Topic: ask.Topic, Key: r.Key, Value: r.Value}
		if ask.Partition != nil {
			record.Partition = *ask.Partition
		}
		if r.Timestamp != nil {
			record.Timestamp = time.UnixMilli(*r.Timestamp)
		}
		for _, h := range r.Headers {
			record.Headers = append(record.Headers, kgo.RecordHeader{Key: h.Name, Value: h.Value})
		}
		records = append(records, record)
	}
	ctx, cancel := within(ask)
	defer cancel()
	for _, result := range client.ProduceSync(ctx, records...) {
		if result.Err != nil {
			return result.Err
		}
	}
	for _, record := range records {
		cell.Say(cell.M{"partition": record.Partition, "offset": record.Offset})
	}
	return nil
}

func sayRecord(r *kgo.Record, event string) {
	at := r.Timestamp.UnixMilli()
	said := cell.Record{Event: event, Partition: r.Partition, Offset: r.Offset, Timestamp: &at, Key: r.Key, Value: r.Value}
	for _, h := range r.Headers {
		said.Headers = append(said.Headers, cell.Header{Name: h.Key, Value: h.Value})
	}
	cell.Say(said)
}

func consume(ask *cell.Ask) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(ask.Bootstrap), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{
		ask.Topic: {*ask.Partition: kgo.NewOffset().At(ask.Offset)}}), kgo.ConsumeResetOffset(kgo.NoResetOffset()), kgo.FetchMaxWait(200*time.Millisecond))
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := within(ask)
	defer cancel()
	for count := 0; count < ask.Count; {
		fetches := client.PollFetches(ctx)
		for _, problem := range fetches.Errors() {
			return problem.Err
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if count < ask.Count {
				sayRecord(r, "")
			}
			count++
		})
	}
	return nil
}

// ---- groups
var member struct {
	client  *kgo.Client
	ctx     context.Context
	cancel  context.CancelFunc
	stopped chan struct{}
}

func join(ask *cell.Ask) error {
	var mutex sync.Mutex
	owned := map[int32]bool{}
	change := func(lists map[string][]int32, here bool) {
		mutex.Lock()
		defer mutex.Unlock()
		for _, p := range lists[ask.Topic] {
			if here {
				owned[p] = true
			} else {
				delete(owned, p)
			}
		}
		var list []int32
		for p := range owned {
			list = append(list, p)
		}
		cell.SayAssigned(list)
	}
	reset := kgo.NewOffset().AtStart()
	if ask.Reset == "latest" {
		reset = kgo.NewOffset().AtEnd()
	}
	gone := func(_ context.Context, _ *kgo.Client, lists map[string][]int32) { change(lists, false) }
	options := []kgo.Opt{kgo.SeedBrokers(ask.Bootstrap), kgo.ConsumerGroup(ask.Group), kgo.ConsumeTopics(ask.Topic),
		kgo.ConsumeResetOffset(reset), kgo.DisableAutoCommit(), kgo.FetchMaxWait(100 * time.Millisecond), kgo.MetadataMinAge(250 * time.Millisecond), kgo.MetadataMaxAge(2 * time.Second),
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, lists map[string][]int32) { change(lists, true) }),
		kgo.OnPartitionsRevoked(gone), kgo.OnPartitionsLost(gone)}
	if ask.Protocol == "consumer" {
		options = append(options, kgo.ServerSideBalancer(), kgo.Balancers(kgo.RangeBalancer()))
	} else {
		options = append(options, kgo.SessionTimeout(10*time.Second), kgo.HeartbeatInterval(500*time.Millisecond))
	}
	if ask.Instance != "" {
		options = append(options, kgo.InstanceID(ask.Instance))
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return err
	}
	member.client, member.stopped = client, make(chan struct{})
	member.ctx, member.cancel = context.WithCancel(context.Background())
	go func() {
		defer close(member.stopped)
		for member.ctx.Err() == nil {
			fetches := client.PollFetches(member.ctx)
			for _, problem := range fetches.Errors() {
				if !errors.Is(problem.Err, context.Canceled) {
					cell.Say(cell.M{"event": "error", "text": problem.Err.Error()})
				}
			}
			fetches.EachRecord(func(r *kgo.Record) { sayRecord(r, "record") })
		}
	}()
	return nil
}

func commit(ask *cell.Ask) error {
	ctx, cancel := within(ask)
	defer cancel()
	return member.client.CommitUncommittedOffsets(ctx)
}

func leave(*cell.Ask) error {
	member.cancel()
	<-member.stopped
	member.client.Close()
	return nil
}

// ---- administration
var admins = map[string]*kadm.Client{}

func with(handler func(context.Context, *kadm.Client, *cell.Ask) error) func(*cell.Ask) error {
	return func(ask *cell.Ask) error {
		if admins[ask.Bootstrap] == nil {
			client, err := kgo.NewClient(kgo.SeedBrokers(ask.Bootstrap), kgo.MetadataMinAge(10*time.Millisecond))
			if err != nil {
				return err
			}
			admins[ask.Bootstrap] = kadm.NewClient(client)
		}
		ctx, cancel := within(ask)
		defer cancel()
		return handler(ctx, admins[ask.Bootstrap], ask)
	}
}

func listOffsets(ctx context.Context, admin *kadm.Client, ask *cell.Ask) error {
	var found kadm.ListedOffsets
	var err error
	switch at := ask.Time(); at {
	case -2:
		found, err = admin.ListStartOffsets(ctx, ask.Topic)
	case -1:
		found, err = admin.ListEndOffsets(ctx, ask.Topic)
	default:
		found, err = admin.ListOffsetsAfterMilli(ctx, at, ask.Topic)
	}
	if err != nil {
		return err
	}
	one, ok := found.Lookup(ask.Topic, *ask.Partition)
	if !ok {
		return fmt.Errorf("no such partition in the answer")
	}
	if one.Err != nil {
		return one.Err
	}
	cell.Say(cell.M{"offset": one.Offset})
	return nil
}

func commitOffsets(ctx context.Context, admin *kadm.Client, ask *cell.Ask) error {
	offsets := kadm.Offsets{}
	for p, o := range ask.Offsets {
		offsets.AddOffset(ask.Topic, p, o, -1)
	}
	done, err := admin.CommitOffsets(ctx, ask.Group, offsets)
	if err != nil {
		return err
	}
	return done.Error()
}

func committed(ctx context.Context, admin *kadm.Client, ask *cell.Ask) error {
	found, err := admin.FetchOffsets(ctx, ask.Group)
	if err != nil {
		return err
	}
	for _, p := range ask.PartitionList() {
		one, ok := found.Lookup(ask.Topic, p)
		if !ok || one.At < 0 {
			cell.Say(cell.M{"partition": p, "offset": nil})
		} else {
			cell.Say(cell.M{"partition": p, "offset": one.At})
		}
	}
	return nil
}

func createTopic(ctx context.Context, admin *kadm.Client, ask *cell.Ask) error {
	configs := map[string]*string{}
	for k, v := range ask.Configs {
		configs[k] = &v
	}
	_, err := admin.CreateTopic(ctx, ask.PartitionCount(), 1, configs, ask.Topic)
	return err
}

func deleteTopic(ctx context.Context, admin *kadm.Client, ask *cell.Ask) error {
	_, err := admin.DeleteTopic(ctx, ask.Topic)
	return err
}

func createPartitions(ctx context.Context, admin *kadm.Client, ask *cell.Ask) error {
	done, err := admin.UpdatePartitions(ctx, ask.Total, ask.Topic)
	if err != nil {
		return err
	}
	return done.Error()
}

func listTopics(ctx context.Context, admin *kadm.Client, ask *cell.Ask) error {
	found, err := admin.ListTopics(ctx)
	if err != nil {
		return err
	}
	cell.Say(cell.M{"topics": found.Names()})
	return nil
}

func describeTopic(ctx context.Context, admin *kadm.Client, ask *cell.Ask) error {
	found, err := admin.ListTopics(ctx, ask.Topic)
	if err != nil {
		return err
	}
	if found[ask.Topic].Err != nil {
		return found[ask.Topic].Err
	}
	cell.Say(cell.M{"partitions": len(found[ask.Topic].Partitions)})
	return nil
}

func describeConfig(ctx context.Context, admin *kadm.Client, ask *cell.Ask) error {
	found, err := admin.DescribeTopicConfigs(ctx, ask.Topic)
	if err != nil {
		return err
	}
	for _, config := range found[0].Configs {
		if config.Key == ask.Key {
			cell.Say(cell.M{"value": config.Value})
			return nil
		}
	}
	return fmt.Errorf("no %s in the answer", ask.Key)
}

func alterConfig(ctx context.Context, admin *kadm.Client, ask *cell.Ask) error {
	done, err := admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: ask.Key, Value: &ask.Value}}, ask.Topic)
	if err != nil {
		return err
	}
	return done[0].Err
}

func deleteRecords(ctx context.Context, admin *kadm.Client, ask *cell.Ask) error {
	offsets := kadm.Offsets{}
	offsets.AddOffset(ask.Topic, *ask.Partition, ask.Before, -1)
	done, err := admin.DeleteRecords(ctx, offsets)
	if err != nil {
		return err
	}
	return done.Error()
}

func listGroups(ctx context.Context, admin *kadm.Client, ask *cell.Ask) error {
	found, err := admin.ListGroups(ctx)
	if err != nil {
		return err
	}
	cell.Say(cell.M{"groups": found.Groups()})
	return nil
}

func describeGroup(ctx context.Context, admin *kadm.Client, ask *cell.Ask) error {
	found, err := admin.DescribeGroups(ctx, ask.Group)
	if err != nil {
		return err
	}
	cell.Say(cell.M{"state": found[ask.Group].State, "members": len(found[ask.Group].Members)})
	return found[ask.Group].Err
}

func deleteGroup(ctx context.Context, admin *kadm.Client, ask *cell.Ask) error {
	done, err := admin.DeleteGroup(ctx, ask.Group)
	if err != nil {
		return err
	}
	return done.Err
}

func main() {
	about := func(*cell.Ask) error {
		cell.Say(cell.M{"client": "franz-go", "version": cell.Version("github.com/twmb/franz-go")})
		return nil
	}
	cell.Serve(map[string]func(*cell.Ask) error{"about": about, "produce": produce, "consume": consume, "member": join, "commit": commit,
		"leave": leave, "list_offsets": with(listOffsets), "commit_offsets": with(commitOffsets), "committed": with(committed),
		"create_topic": with(createTopic), "delete_topic": with(deleteTopic), "create_partitions": with(createPartitions),
		"list_topics": with(listTopics), "describe_topic": with(describeTopic), "describe_config": with(describeConfig),
		"alter_config": with(alterConfig), "delete_records": with(deleteRecords), "list_groups": with(listGroups),
		"describe_group": with(describeGroup), "delete_group": with(deleteGroup)}, codeOf)
}
