// @platformatic/kafka behind the questions of ../README.md.
import { readFileSync } from 'node:fs'
import { Admin, Consumer, Producer, ConfigResourceTypes } from '@platformatic/kafka'
import { Cannot, Coded, pack, say, sayAssigned, serve, unpack, within } from './cell.mjs'

const LEVELS = { all: -1, 1: 1, 0: 0 }
let member

const base = ask => ({ clientId: 'cell', bootstrapBrokers: [ask.bootstrap], timeout: 10000, retries: 3, retryDelay: 50, autocreateTopics: false })

/** Errors lie inside of errors, some of them with Kafka's number. */
function codeOf (error) {
  const inner = [error, ...(error.errors ?? []), error.cause].filter(Boolean)
  for (const one of inner) {
    if (typeof one.apiCode === 'number') {
      return one.apiCode
    }
  }
  for (const one of inner.slice(1)) {
    const code = codeOf(one)
    if (code !== undefined) {
      return code
    }
  }
  return undefined
}

async function using (thing, act) {
  try {
    return await act(thing)
  } finally {
    await (thing instanceof Consumer ? thing.close(true) : thing.close())
  }
}

const withAdmin = (ask, act) => using(new Admin(base(ask)), act)
const consumerOf = (ask, more) => new Consumer({ ...base(ask), groupId: 'unused', autocommit: false, maxWaitTime: 100, maxBytes: 8 << 20, ...more })

async function produce (ask) {
  if (ask.partition > 1000) {
    throw new Cannot('a partition that is not there becomes another, modulo their number')
  }
  await using(new Producer({ ...base(ask), idempotent: Boolean(ask.idempotent) }), async producer => {
    const messages = ask.records.map(r => ({
      topic: ask.topic,
      key: unpack(r.key) ?? undefined,
      value: unpack(r.value) ?? undefined,
      partition: ask.partition ?? undefined,
      timestamp: r.timestamp === null ? undefined : BigInt(r.timestamp),
      headers: new Map(r.headers.map(([name, value]) => [Buffer.from(name), unpack(value)]))
    }))
    const done = await within(ask, producer.send({ messages, acks: LEVELS[ask.acks ?? 'all'], compression: ask.codec ?? 'none' }), 'sending')
    if (ask.acks === '0') {
      return
    }
    if (ask.partition !== undefined && ask.partition !== null) {
      const first = Number(done.offsets[0].offset)
      ask.records.forEach((_, n) => say({ partition: ask.partition, offset: first + n }))
      return
    }
    await sayWhere(ask, done.offsets)
  })
}

/** Where records without a partition went is not told one by one: it is read. */
async function sayWhere (ask, offsets) {
  const found = new Map()
  for (const { partition, offset } of offsets) {
    const end = await offsetAt({ ...ask, partition, at: 'latest' })
    await read({ ...ask, partition, offset: Number(offset), count: end - Number(offset) },
      m => found.set(pack(m.value), { partition, offset: Number(m.offset) }))
  }
  ask.records.forEach(r => say(found.get(r.value)))
}

function sayRecord (m, event) {
  say({ event, partition: m.partition, offset: Number(m.offset), timestamp: Number(m.timestamp), key: pack(m.key), value: pack(m.value),
    headers: [...m.headers].map(([name, value]) => [name.toString(), pack(value)]) })
}

async function read (ask, each) {
  const consumer = consumerOf(ask, { groupId: `read-${process.pid}-${Date.now()}-${Math.random()}` })
  await using(consumer, async () => {
    const all = await consumer.metadata({ topics: [ask.topic] })
    const count = all.topics.get(ask.topic).partitionsCount
    const offsets = Array.from({ length: count }, (_, partition) => ({ topic: ask.topic, partition, offset: BigInt(partition === ask.partition ? ask.offset : 0) }))
    const stream = await consumer.consume({ topics: [ask.topic], mode: 'manual', fallbackMode: 'fail', offsets, autocommit: false, maxWaitTime: 100 })
    let seen = 0
    await within(ask, new Promise((resolve, reject) => {
      stream.on('error', reject)
      stream.on('data', m => {
        if (m.partition === ask.partition && seen < ask.count) {
          each(m)
          if (++seen === ask.count) {
            resolve()
          }
        }
      })
    }), 'reading')
    await stream.close()
  })
}

async function offsetAt (ask) {
  const timestamp = ask.at === 'earliest' ? -2n : ask.at === 'latest' ? -1n : BigInt(ask.at)
  return using(consumerOf(ask), async consumer => {
    const found = await consumer.listOffsets({ topics: [ask.topic], timestamp })
    return Number(found.get(ask.topic)[ask.partition])
  })
}

// ---- groups
async function join (ask) {
  const newer = ask.protocol === 'consumer'
  const how = newer ? { groupProtocol: 'consumer' } : { sessionTimeout: 10000, heartbeatInterval: 500, rebalanceTimeout: 10000 }
  const consumer = consumerOf(ask, { groupId: ask.group, metadataMaxAge: 2000, ...how, ...(ask.instance ? { groupInstanceId: ask.instance } : {}) })
  const owned = () => sayAssigned((consumer.assignments ?? []).filter(a => a.topic === ask.topic).flatMap(a => a.partitions))
  consumer.on('consumer:group:join', owned)
  consumer.on('consumer:heartbeat:end', newer ? owned : () => {})
  consumer.on('consumer:group:rebalance', () => newer || sayAssigned([]))
  member = { consumer, topic: ask.topic, read: new Map() }
  const stream = await consumer.consume({ topics: [ask.topic], mode: 'committed', fallbackMode: ask.reset ?? 'earliest', autocommit: false, maxWaitTime: 100 })
  stream.on('error', error => say({ event: 'error', text: `${error}` }))
  stream.on('data', m => {
    member.read.set(m.partition, m.offset + 1n)
    sayRecord(m, 'record')
  })
  member.stream = stream
}

async function commit () {
  await member.consumer.commit({ offsets: [...member.read].map(([partition, offset]) => ({ topic: member.topic, partition, offset, leaderEpoch: -1 })) })
}

async function leave () {
  await member.stream.close()
  await member.consumer.close(true)
}

const resource = ask => ({ resourceType: ConfigResourceTypes.TOPIC, resourceName: ask.topic })
serve({
  about: () => say({ client: '@platformatic/kafka',
    version: JSON.parse(readFileSync(new URL('./node_modules/@platformatic/kafka/package.json', import.meta.url))).version }),
  produce,
  consume: ask => read(ask, m => sayRecord(m)),
  list_offsets: async ask => say({ offset: await offsetAt(ask) }),
  member: join,
  commit,
  leave,
  commit_offsets: ask => withAdmin(ask, admin => admin.alterConsumerGroupOffsets({ groupId: ask.group, topics: [{ name: ask.topic,
    partitionOffsets: Object.entries(ask.offsets).map(([partition, offset]) => ({ partition: Number(partition), offset: BigInt(offset) })) }] })),
  committed: ask => withAdmin(ask, async admin => {
    const found = await admin.listConsumerGroupOffsets({ groups: [{ groupId: ask.group, topics: [{ name: ask.topic, partitionIndexes: ask.partitions }] }] })
    for (const p of found[0].topics[0].partitions) {
      say({ partition: p.partitionIndex, offset: p.committedOffset < 0n ? null : Number(p.committedOffset) })
    }
  }),
  create_topic: ask => withAdmin(ask, admin => admin.createTopics({ topics: [ask.topic], partitions: ask.partitions, replicas: 1,
    configs: Object.entries(ask.configs ?? {}).map(([name, value]) => ({ name, value })) })),
  delete_topic: ask => withAdmin(ask, admin => admin.deleteTopics({ topics: [ask.topic] })),
  create_partitions: ask => withAdmin(ask, admin => admin.createPartitions({ topics: [{ name: ask.topic, count: ask.total, assignments: null }] })),
  list_topics: ask => withAdmin(ask, async admin => say({ topics: await admin.listTopics({ includeInternals: true }) })),
  describe_topic: ask => withAdmin(ask, async admin => {
    try {
      const found = await admin.metadata({ topics: [ask.topic], autocreateTopics: false, forceUpdate: true })
      say({ partitions: found.topics.get(ask.topic).partitionsCount })
    } catch (error) {
      throw error.message.startsWith('Unknown topic') ? new Coded(3, error.message) : error
    }
  }),
  describe_config: ask => withAdmin(ask, async admin => {
    const found = await admin.describeConfigs({ resources: [{ ...resource(ask), configurationKeys: [ask.key] }] })
    say({ value: found[0].configs[0].value })
  }),
  alter_config: ask => withAdmin(ask, admin => admin.incrementalAlterConfigs({
    resources: [{ ...resource(ask), configs: [{ name: ask.key, configOperation: 0, value: ask.value }] }] })),
  delete_records: ask => withAdmin(ask, admin => admin.deleteRecords({ topics: [{ name: ask.topic,
    partitions: [{ partition: ask.partition, offset: BigInt(ask.before) }] }] })),
  list_groups: ask => withAdmin(ask, async admin => say({ groups: [...(await admin.listGroups()).keys()] })),
  describe_group: ask => withAdmin(ask, async admin => {
    const found = (await admin.describeGroups({ groups: [ask.group] })).get(ask.group)
    say({ state: found.state[0].toUpperCase() + found.state.slice(1).toLowerCase(), members: found.members.size })
  }),
  delete_group: ask => withAdmin(ask, admin => admin.deleteGroups({ groups: [ask.group] }))
}, codeOf)
