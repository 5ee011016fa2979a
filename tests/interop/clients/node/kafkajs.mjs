// KafkaJS behind the questions of ../README.md, with the codecs that its documentation names.
import { createRequire } from 'node:module'
import { Cannot, Coded, pack, say, sayAssigned, serve, unpack, within } from './cell.mjs'

const require = createRequire(import.meta.url)
const { Kafka, logLevel, CompressionTypes, CompressionCodecs, ConfigResourceTypes, PartitionAssigners } = require('kafkajs')
CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy')
const CODECS = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy }
const LEVELS = { all: -1, 1: 1, 0: 0 }
let member

function client (ask) {
  return new Kafka({ clientId: 'cell', brokers: [ask.bootstrap], logLevel: logLevel.NOTHING, retry: { retries: 3, initialRetryTime: 50 } })
}

function codeOf (error) {
  for (let e = error; e; e = e.originalError ?? e.cause ?? e.errors?.[0]) {
    if (typeof e.code === 'number') {
      return e.code
    }
    if (e.groups?.[0]?.errorCode) {
      return e.groups[0].errorCode
    }
  }
  return undefined
}

async function withAdmin (ask, act) {
  const admin = client(ask).admin()
  await admin.connect()
  try {
    return await act(admin)
  } finally {
    await admin.disconnect()
  }
}

async function produce (ask) {
  if (!((ask.codec ?? 'none') in CODECS)) {
    throw new Cannot(`no ${ask.codec} without a codec of one's own`)
  }
  const producer = client(ask).producer({ idempotent: Boolean(ask.idempotent), allowAutoTopicCreation: false, retry: { retries: 3 } })
  await producer.connect()
  try {
    const messages = ask.records.map(r => ({
      key: unpack(r.key),
      value: unpack(r.value),
      partition: ask.partition ?? undefined,
      timestamp: r.timestamp === null ? undefined : String(r.timestamp),
      headers: Object.fromEntries(r.headers.map(([name, value]) => [name, unpack(value)]))
    }))
    const done = await producer.send({ topic: ask.topic, messages, acks: LEVELS[ask.acks ?? 'all'], compression: CODECS[ask.codec ?? 'none'] })
    // The answer has the base offset of each partition's batch; the records of one lie in the order in which they were given.
    if (ask.acks === '0') {
      return
    }
    if (ask.partition !== undefined && ask.partition !== null) {
      const base = Number(done[0].baseOffset)
      ask.records.forEach((_, n) => say({ partition: ask.partition, offset: base + n }))
      return
    }
    await sayWhere(ask, done)
  } finally {
    await producer.disconnect()
  }
}

/** Where records without a partition went is not told: it is read. */
async function sayWhere (ask, done) {
  const found = new Map()
  for (const { partition, baseOffset } of done) {
    const end = await withAdmin(ask, admin => admin.fetchTopicOffsets(ask.topic))
    const count = Number(end.find(e => e.partition === partition).high) - Number(baseOffset)
    await read({ ...ask, partition, offset: Number(baseOffset), count }, m => found.set(pack(m.value), { partition, offset: Number(m.offset) }))
  }
  ask.records.forEach(r => say(found.get(r.value)))
}

function sayRecord (partition, m, event) {
  const headers = []
  for (const [name, value] of Object.entries(m.headers ?? {})) {
    for (const one of Array.isArray(value) ? value : [value]) {
      headers.push([name, pack(one)])
    }
  }
  say({ event, partition, offset: Number(m.offset), timestamp: Number(m.timestamp), key: pack(m.key), value: pack(m.value), headers })
}

/** KafkaJS reads only in groups, so one is made for the occasion. */
async function read (ask, each) {
  const consumer = client(ask).consumer({ groupId: `read-${process.pid}-${Date.now()}-${Math.random()}`, maxWaitTimeInMs: 100, allowAutoTopicCreation: false,
    maxBytesPerPartition: 8 << 20, rebalanceTimeout: 3000 })
  await consumer.connect()
  try {
    await consumer.subscribe({ topics: [ask.topic], fromBeginning: true })
    let count = 0
    await within(ask, new Promise((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error))
      consumer.run({ autoCommit: false,
        eachBatch: async ({ batch, isRunning }) => {
          if (batch.partition !== ask.partition) {
            return
          }
          for (const m of batch.messages) {
            if (isRunning() && count < ask.count && Number(m.offset) >= ask.offset) {
              each(m)
              count++
            }
          }
          if (count >= ask.count) {
            resolve()
          }
        } }).catch(reject)
      consumer.seek({ topic: ask.topic, partition: ask.partition, offset: String(ask.offset) })
    }), 'reading')
  } finally {
    await consumer.disconnect()
  }
}

async function consume (ask) {
  const ends = await withAdmin(ask, admin => admin.fetchTopicOffsets(ask.topic))
  if (ask.offset > Number(ends.find(e => e.partition === ask.partition).high)) {
    throw new Cannot('an offset out of range is always reset')
  }
  await read(ask, m => sayRecord(ask.partition, m))
}

async function listOffsets (ask) {
  await withAdmin(ask, async admin => {
    if (typeof ask.at === 'number') {
      const found = await admin.fetchTopicOffsetsByTimestamp(ask.topic, ask.at)
      say({ offset: Number(found.find(e => e.partition === ask.partition).offset) })
    } else {
      const found = (await admin.fetchTopicOffsets(ask.topic)).find(e => e.partition === ask.partition)
      say({ offset: Number(ask.at === 'earliest' ? found.low : found.high) })
    }
  })
}

// ---- groups
async function join (ask) {
  if (ask.protocol === 'consumer') {
    throw new Cannot('classic groups only')
  }
  if (ask.instance) {
    throw new Cannot('no static members')
  }
  const consumer = client(ask).consumer({ groupId: ask.group, sessionTimeout: 10000, heartbeatInterval: 500, maxWaitTimeInMs: 100, rebalanceTimeout: 10000,
    metadataMaxAge: 2000, partitionAssigners: [PartitionAssigners.roundRobin], allowAutoTopicCreation: false })
  member = { consumer, topic: ask.topic, read: new Map() }
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => sayAssigned(payload.memberAssignment[ask.topic] ?? []))
  consumer.on(consumer.events.REBALANCING, () => sayAssigned([]))
  consumer.on(consumer.events.CRASH, ({ payload }) => say({ event: 'error', text: String(payload.error) }))
  await consumer.connect()
  await consumer.subscribe({ topics: [ask.topic], fromBeginning: (ask.reset ?? 'earliest') === 'earliest' })
  consumer.run({ autoCommit: false,
    eachMessage: async ({ partition, message }) => {
      member.read.set(partition, Number(message.offset) + 1)
      sayRecord(partition, message, 'record')
    } }).catch(error => say({ event: 'error', text: String(error) }))
}

async function commit () {
  await member.consumer.commitOffsets([...member.read].map(([partition, offset]) => ({ topic: member.topic, partition, offset: String(offset) })))
}

async function leave () {
  await member.consumer.disconnect()
}

async function commitOffsets (ask) {
  await withAdmin(ask, admin => admin.setOffsets({ groupId: ask.group, topic: ask.topic,
    partitions: Object.entries(ask.offsets).map(([partition, offset]) => ({ partition: Number(partition), offset: String(offset) })) }))
}

async function committed (ask) {
  const found = await withAdmin(ask, admin => admin.fetchOffsets({ groupId: ask.group, topics: [ask.topic] }))
  for (const partition of ask.partitions) {
    const offset = Number(found[0]?.partitions.find(p => p.partition === partition)?.offset ?? -1)
    say({ partition, offset: offset < 0 ? null : offset })
  }
}

// ---- administration
const resource = ask => ({ type: ConfigResourceTypes.TOPIC, name: ask.topic })
serve({
  about: () => say({ client: 'kafkajs', version: require('kafkajs/package.json').version }),
  produce,
  consume,
  list_offsets: listOffsets,
  member: join,
  commit,
  leave,
  commit_offsets: commitOffsets,
  committed,
  create_topic: ask => withAdmin(ask, async admin => {
    const made = await admin.createTopics({ waitForLeaders: false, topics: [{ topic: ask.topic, numPartitions: ask.partitions, replicationFactor: 1,
      configEntries: Object.entries(ask.configs ?? {}).map(([name, value]) => ({ name, value })) }] })
    if (!made) {
      throw new Coded(36, 'createTopics gave false: it is there already')
    }
  }),
  delete_topic: ask => withAdmin(ask, admin => admin.deleteTopics({ topics: [ask.topic] })),
  create_partitions: ask => withAdmin(ask, admin => admin.createPartitions({ topicPartitions: [{ topic: ask.topic, count: ask.total }] })),
  list_topics: ask => withAdmin(ask, async admin => say({ topics: await admin.listTopics() })),
  describe_topic: ask => withAdmin(ask, async admin => {
    say({ partitions: (await admin.fetchTopicMetadata({ topics: [ask.topic] })).topics[0].partitions.length })
  }),
  describe_config: ask => withAdmin(ask, async admin => {
    const found = await admin.describeConfigs({ includeSynonyms: false, resources: [{ ...resource(ask), configNames: [ask.key] }] })
    say({ value: found.resources[0].configEntries[0].configValue })
  }),
  alter_config: ask => withAdmin(ask, admin => admin.alterConfigs({ validateOnly: false,
    resources: [{ ...resource(ask), configEntries: [{ name: ask.key, value: ask.value }] }] })),
  delete_records: ask => withAdmin(ask, async admin => {
    await admin.fetchTopicMetadata({ topics: [ask.topic] })     // it finds the leader only in what it knows already
    await admin.deleteTopicRecords({ topic: ask.topic, partitions: [{ partition: ask.partition, offset: String(ask.before) }] })
  }),
  list_groups: ask => withAdmin(ask, async admin => say({ groups: (await admin.listGroups()).groups.map(g => g.groupId) })),
  describe_group: ask => withAdmin(ask, async admin => {
    const found = (await admin.describeGroups([ask.group])).groups[0]
    say({ state: found.state, members: found.members.length })
  }),
  delete_group: ask => withAdmin(ask, async admin => {
    await admin.deleteGroups([ask.group])
  })
}, codeOf)
