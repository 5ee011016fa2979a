//! rust-rdkafka behind the questions of ../../README.md.
use base64::engine::general_purpose::STANDARD;
use base64::Engine;
use futures::executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, DeliveryResult, Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use rdkafka::{ClientConfig, ClientContext, Offset, TopicPartitionList};
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{channel, Sender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

enum Problem {
    Cannot(String),
    Failed(String, Option<i32>),
}

impl From<KafkaError> for Problem {
    fn from(error: KafkaError) -> Self {
        let code = error.rdkafka_error_code();
        Problem::Failed(error.to_string(), code.map(number))
    }
}

impl From<RDKafkaErrorCode> for Problem {
    fn from(code: RDKafkaErrorCode) -> Self {
        Problem::Failed(code.to_string(), Some(number(code)))
    }
}

/// Kafka's number; those below zero are librdkafka's own.
fn number(code: RDKafkaErrorCode) -> i32 {
    match code {
        RDKafkaErrorCode::AutoOffsetReset => 1, // its word for an offset out of range without a reset
        other => other as i32,
    }
}

type Outcome = Result<(), Problem>;

fn say(what: Value) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{what}").unwrap();
    out.flush().unwrap();
}

fn text<'a>(ask: &'a Value, field: &str) -> &'a str {
    ask[field].as_str().unwrap_or("")
}

fn pack(bytes: Option<&[u8]>) -> Value {
    bytes.map_or(Value::Null, |b| json!(STANDARD.encode(b)))
}

fn unpack(value: &Value) -> Option<Vec<u8>> {
    value.as_str().map(|t| STANDARD.decode(t).expect("base64"))
}

fn limit(ask: &Value) -> Duration {
    Duration::from_secs_f64(ask["seconds"].as_f64().unwrap_or(30.0))
}

fn config(ask: &Value) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", text(ask, "bootstrap")).set("allow.auto.create.topics", "false").set("log_level", "0");
    config
}

// ---- records
#[derive(Clone, Default)]
struct Deliveries(Arc<Mutex<BTreeMap<usize, Result<(i32, i64), (String, Option<i32>)>>>>);

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<usize>;
    fn delivery(&self, result: &DeliveryResult<'_>, number_of: Box<usize>) {
        let told = match result {
            Ok(m) => Ok((m.partition(), m.offset())),
            Err((error, _)) => Err((error.to_string(), error.rdkafka_error_code().map(number))),
        };
        self.0.lock().unwrap().insert(*number_of, told);
    }
}

fn produce(ask: &Value) -> Outcome {
    let mut config = config(ask);
    config
        .set("acks", ask["acks"].as_str().unwrap_or("all"))
        .set("compression.type", ask["codec"].as_str().unwrap_or("none"))
        .set("enable.idempotence", ask["idempotent"].as_bool().unwrap_or(false).to_string())
        .set("message.timeout.ms", limit(ask).as_millis().to_string())
        .set("linger.ms", "20");
    if let Some(most) = ask["limit"].as_i64() {
        config.set("message.max.bytes", most.to_string());
    }
    let deliveries = Deliveries::default();
    let producer: ThreadedProducer<Deliveries> = config.create_with_context(deliveries.clone())?;
    let records = ask["records"].as_array().expect("records");
    for (n, record) in records.iter().enumerate() {
        let (key, value) = (unpack(&record["key"]), unpack(&record["value"]));
        let mut headers = OwnedHeaders::new();
        for pair in record["headers"].as_array().expect("headers") {
            let bytes = unpack(&pair[1]);
            headers = headers.insert(Header { key: pair[0].as_str().expect("name"), value: bytes.as_ref() });
        }
        let mut out = BaseRecord::with_opaque_to(text(ask, "topic"), Box::new(n)).headers(headers);
        out = if let Some(key) = &key { out.key(key) } else { out };
        out = if let Some(value) = &value { out.payload(value) } else { out };
        out = if let Some(at) = record["timestamp"].as_i64() { out.timestamp(at) } else { out };
        out = if let Some(partition) = ask["partition"].as_i64() { out.partition(partition as i32) } else { out };
        producer.send::<Vec<u8>, Vec<u8>>(out).map_err(|(error, _)| error)?;
    }
    producer.flush(limit(ask))?;
    let deadline = Instant::now() + limit(ask);
    while deliveries.0.lock().unwrap().len() < records.len() && Instant::now() < deadline {
        std::thread::yield_now();
    }
    for told in deliveries.0.lock().unwrap().values() {
        match told {
            Ok((partition, offset)) => say(json!({"partition": partition, "offset": offset})),
            Err((text, code)) => return Err(Problem::Failed(text.clone(), *code)),
        }
    }
    Ok(())
}

fn say_record(m: &BorrowedMessage, event: bool) {
    let mut headers = Vec::new();
    if let Some(all) = m.headers() {
        for h in all.iter() {
            headers.push(json!([h.key, pack(h.value)]));
        }
    }
    let mut out = json!({"partition": m.partition(), "offset": m.offset(), "timestamp": m.timestamp().to_millis(), "key": pack(m.key()),
        "value": pack(m.payload()), "headers": headers});
    if event {
        out["event"] = json!("record");
    }
    say(out);
}

fn reader(ask: &Value, group: &str) -> Result<BaseConsumer, KafkaError> {
    config(ask).set("group.id", group).set("enable.auto.commit", "false").set("auto.offset.reset", "error").set("fetch.message.max.bytes", "8388608")
        .create()
}

fn at(ask: &Value, offset: Offset) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(text(ask, "topic"), ask["partition"].as_i64().unwrap_or(0) as i32, offset)?;
    Ok(list)
}

fn consume(ask: &Value) -> Outcome {
    let consumer = reader(ask, "unused")?;
    consumer.assign(&at(ask, Offset::Offset(ask["offset"].as_i64().unwrap()))?)?;
    let (wanted, deadline) = (ask["count"].as_u64().unwrap(), Instant::now() + limit(ask));
    let mut count = 0;
    while count < wanted {
        if Instant::now() > deadline {
            return Err(Problem::Failed(format!("{count} of {wanted} records came"), None));
        }
        if let Some(message) = consumer.poll(Duration::from_millis(200)) {
            say_record(&message?, false);
            count += 1;
        }
    }
    Ok(())
}

fn list_offsets(ask: &Value) -> Outcome {
    let consumer = reader(ask, "unused")?;
    let offset = match ask["at"].as_i64() {
        Some(time) => match consumer.offsets_for_times(at(ask, Offset::Offset(time))?, limit(ask))?.elements()[0].offset() {
            Offset::Offset(found) => found,
            _ => -1,
        },
        None => {
            let (low, high) = consumer.fetch_watermarks(text(ask, "topic"), ask["partition"].as_i64().unwrap() as i32, limit(ask))?;
            if text(ask, "at") == "earliest" { low } else { high }
        }
    };
    say(json!({"offset": offset}));
    Ok(())
}

fn commit_offsets(ask: &Value) -> Outcome {
    let mut list = TopicPartitionList::new();
    for (partition, offset) in ask["offsets"].as_object().expect("offsets") {
        list.add_partition_offset(text(ask, "topic"), partition.parse().expect("number"), Offset::Offset(offset.as_i64().unwrap()))?;
    }
    Ok(reader(ask, text(ask, "group"))?.commit(&list, CommitMode::Sync)?)
}

fn committed(ask: &Value) -> Outcome {
    let mut list = TopicPartitionList::new();
    for partition in ask["partitions"].as_array().expect("partitions") {
        list.add_partition(text(ask, "topic"), partition.as_i64().unwrap() as i32);
    }
    for found in reader(ask, text(ask, "group"))?.committed_offsets(list, limit(ask))?.elements() {
        let offset = if let Offset::Offset(o) = found.offset() { json!(o) } else { Value::Null };
        say(json!({"partition": found.partition(), "offset": offset}));
    }
    Ok(())
}

// ---- groups
struct Member {
    leaving: Arc<AtomicBool>,
    commits: Sender<Sender<Result<(), KafkaError>>>,
    thread: std::thread::JoinHandle<()>,
}

fn join(ask: &Value) -> Result<Member, Problem> {
    let mut config = config(ask);
    config
        .set("group.id", text(ask, "group"))
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", ask["reset"].as_str().unwrap_or("earliest"))
        .set("topic.metadata.refresh.interval.ms", "2000")
        .set("fetch.wait.max.ms", "100");
    if text(ask, "protocol") == "consumer" {
        config.set("group.protocol", "consumer");
    } else {
        config.set("session.timeout.ms", "10000");
    }
    if let Some(instance) = ask["instance"].as_str() {
        config.set("group.instance.id", instance);
    }
    let consumer: BaseConsumer = config.create()?;
    consumer.subscribe(&[text(ask, "topic")])?;
    let leaving = Arc::new(AtomicBool::new(false));
    let (commits, asked) = channel::<Sender<Result<(), KafkaError>>>();
    let told = leaving.clone();
    let thread = std::thread::spawn(move || {
        let mut owned = None;
        while !told.load(Ordering::Relaxed) {
            let message = consumer.poll(Duration::from_millis(100));
            let mut now: Vec<i32> = consumer.assignment().map(|a| a.elements().iter().map(|e| e.partition()).collect()).unwrap_or_default();
            now.sort_unstable();
            if owned.as_ref() != Some(&now) {
                say(json!({"event": "assigned", "partitions": now}));
                owned = Some(now);
            }
            match message {
                Some(Ok(m)) => say_record(&m, true),
                Some(Err(error)) => say(json!({"event": "error", "text": error.to_string()})),
                None => {}
            }
            while let Ok(answer) = asked.try_recv() {
                let _ = answer.send(consumer.commit_consumer_state(CommitMode::Sync));
            }
        }
    });
    Ok(Member { leaving, commits, thread })
}

fn commit(member: &Member, ask: &Value) -> Outcome {
    let (send, receive) = channel();
    let _ = member.commits.send(send);
    receive.recv_timeout(limit(ask)).map_err(|e| Problem::Failed(e.to_string(), None))?.map_err(Problem::from)
}

// ---- administration
fn first<T>(list: Vec<Result<T, (String, RDKafkaErrorCode)>>) -> Outcome {
    match list.into_iter().next() {
        Some(Err((_, code))) => Err(code.into()),
        _ => Ok(()),
    }
}

fn administer(admin: &AdminClient<DefaultClientContext>, ask: &Value) -> Outcome {
    let options = AdminOptions::new().operation_timeout(Some(limit(ask))).request_timeout(Some(limit(ask)));
    let topic = text(ask, "topic");
    match text(ask, "do") {
        "create_topic" => {
            let mut new = NewTopic::new(topic, ask["partitions"].as_i64().unwrap() as i32, TopicReplication::Fixed(1));
            let none = serde_json::Map::new();
            for (key, value) in ask["configs"].as_object().unwrap_or(&none) {
                new = new.set(key, value.as_str().expect("text"));
            }
            first(block_on(admin.create_topics([&new], &options))?)
        }
        "delete_topic" => first(block_on(admin.delete_topics(&[topic], &options))?),
        "create_partitions" => {
            first(block_on(admin.create_partitions([&NewPartitions::new(topic, ask["total"].as_u64().unwrap() as usize)], &options))?)
        }
        "list_topics" | "describe_topic" => metadata(admin, ask),
        "describe_config" => {
            let found = block_on(admin.describe_configs([&ResourceSpecifier::Topic(topic)], &options))?.remove(0)?;
            say(json!({"value": found.get(text(ask, "key")).and_then(|e| e.value.clone())}));
            Ok(())
        }
        "alter_config" => {
            let change = AlterConfig::new(ResourceSpecifier::Topic(topic)).set(text(ask, "key"), text(ask, "value"));
            match block_on(admin.alter_configs([&change], &options))?.remove(0) {
                Err((_, code)) => Err(code.into()),
                Ok(_) => Ok(()),
            }
        }
        "delete_records" => {
            let list = at(ask, Offset::Offset(ask["before"].as_i64().unwrap()))?;
            let _ = block_on(admin.delete_records(&list, &options))?;
            Ok(())
        }
        "delete_group" => first(block_on(admin.delete_groups(&[text(ask, "group")], &options))?),
        "list_groups" | "describe_group" => groups(admin, ask),
        other => Err(Problem::Cannot(format!("no {other} in this client"))),
    }
}

fn metadata(admin: &AdminClient<DefaultClientContext>, ask: &Value) -> Outcome {
    let wanted = ask["topic"].as_str();
    let found = admin.inner().fetch_metadata(wanted, limit(ask))?;
    if wanted.is_none() {
        say(json!({"topics": found.topics().iter().map(|t| t.name()).collect::<Vec<_>>()}));
        return Ok(());
    }
    if let Some(error) = found.topics()[0].error() {
        return Err(RDKafkaErrorCode::from(error).into());
    }
    say(json!({"partitions": found.topics()[0].partitions().len()}));
    Ok(())
}

fn groups(admin: &AdminClient<DefaultClientContext>, ask: &Value) -> Outcome {
    let found = admin.inner().fetch_group_list(ask["group"].as_str(), limit(ask))?;
    if text(ask, "do") == "list_groups" {
        say(json!({"groups": found.groups().iter().map(|g| g.name()).collect::<Vec<_>>()}));
    } else {
        say(json!({"state": found.groups()[0].state(), "members": found.groups()[0].members().len()}));
    }
    Ok(())
}

fn answer(ask: &Value, member: &mut Option<Member>, admin: &mut Option<AdminClient<DefaultClientContext>>) -> Outcome {
    match text(ask, "do") {
        "about" => {
            say(json!({"client": "rust-rdkafka", "version": format!("0.39.0 (librdkafka {})", rdkafka::util::get_rdkafka_version().1),
                "hides": ["alter_config"]}));
            Ok(())
        }
        "produce" => produce(ask),
        "consume" => consume(ask),
        "list_offsets" => list_offsets(ask),
        "commit_offsets" => commit_offsets(ask),
        "committed" => committed(ask),
        "member" => {
            *member = Some(join(ask)?);
            Ok(())
        }
        "commit" => commit(member.as_ref().expect("a member"), ask),
        "leave" => {
            let gone = member.take().expect("a member");
            gone.leaving.store(true, Ordering::Relaxed);
            gone.thread.join().map_err(|_| Problem::Failed("the member panicked".into(), None))
        }
        _ => {
            if admin.is_none() {
                *admin = Some(config(ask).create()?);
            }
            administer(admin.as_ref().expect("an admin client"), ask)
        }
    }
}

fn main() {
    let (mut member, mut admin) = (None, None);
    for line in std::io::stdin().lock().lines() {
        let ask: Value = serde_json::from_str(&line.expect("stdin")).expect("JSON");
        match answer(&ask, &mut member, &mut admin) {
            Ok(()) => say(json!({"done": true})),
            Err(Problem::Cannot(why)) => say(json!({"cannot": why})),
            Err(Problem::Failed(text, code)) => say(json!({"failed": text, "code": code})),
        }
    }
}
