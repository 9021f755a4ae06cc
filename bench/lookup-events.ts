/**
 * Measures LookupEvents on an index of ten million events, and the size of the index: `node
 * bench/lookup-events.ts [events]`. It fills its own database, which takes some minutes.
 * @module
 */
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packEvents, type PackedEvent } from '../src/audit/index/event-blocks.ts'
import { createEventLookup } from '../src/audit/index/event-lookup.ts'
import { indexedEvent } from '../src/audit/index/indexed-event.ts'
import { systemRandom } from '../src/crypto/entropy.ts'
import type { EventScope, IndexedEvent } from '../src/model/audit-event.ts'
import { findEventBlock, saveEventBlocks } from '../src/store/tables/event-index-rows.ts'
import { listEventBlocks, mergeEventRuns } from '../src/store/tables/event-runs.ts'
import { openDatabase } from '../src/store/open.ts'

const wanted = Number(process.argv[2] ?? 10_000_000)
const accountId = '111122223333'
const region = 'us-west-2'
const days = 90
const end = Date.UTC(2030, 0, 1)
const begin = end - days * 86_400_000
const names = ['Encrypt', 'Decrypt', 'GenerateDataKey', 'Decrypt', 'DescribeKey']
const users = 50
const keys = Array.from({ length: 1000 }, () => systemRandom.uuid())
/** One event in this number is of the rare kind that a search looks for. */
const rareEvery = 500_000

/** A record in the form that the server writes for a user's call. */
function eventOf(index: number): IndexedEvent {
  const time = begin + Math.floor((index / wanted) * (end - begin))
  const rare = index % rareEvery === 0
  const user = `user-${index % users}`
  const key = `arn:aws:kms:${region}:${accountId}:key/${keys[(index * 7919) % keys.length]}`
  const text = JSON.stringify({
    eventVersion: '1.11',
    userIdentity: {
      type: 'IAMUser',
      principalId: `AIDAEXAMPLE${index % users}`,
      arn: `arn:aws:iam::${accountId}:user/${user}`,
      accountId,
      accessKeyId: `AKIAEXAMPLE${index % users}`,
      userName: user,
    },
    eventTime: `${new Date(time).toISOString().slice(0, 19)}Z`,
    eventSource: 'kms.amazonaws.com',
    eventName: rare ? 'ScheduleKeyDeletion' : names[index % names.length],
    awsRegion: region,
    sourceIPAddress: `192.0.2.${index % 250}`,
    userAgent: 'aws-sdk-js/3.1105.0 ua/2.1 os/linux lang/js md/nodejs#26.0.0 api/kms#3.1105.0 m/E',
    requestParameters: {
      keyId: key,
      encryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      encryptionContext: { order: `${(index * 104_729) % 1_000_003}` },
    },
    responseElements: null,
    additionalEventData: { keyMaterialId: key.slice(-36).replaceAll('-', '').repeat(2) },
    requestID: systemRandom.uuid(),
    eventID: systemRandom.uuid(),
    readOnly: !rare,
    resources: [{ accountId, type: 'AWS::KMS::Key', ARN: key }],
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: accountId,
    eventCategory: 'Management',
    trent: {
      reasons: [{ action: 'kms:Decrypt', effect: 'allow', policy: 'identity', statement: '#0' }],
    },
  })
  const event = indexedEvent(text)
  if (event === undefined) throw new Error('no record')
  return event
}

function packed(event: IndexedEvent): PackedEvent {
  return { facts: event, ...event, text: Buffer.from(event.text) }
}

const folder = await mkdtemp(join(tmpdir(), 'trent-lookup-bench-'))
const path = join(folder, 'trent.db')
const database = await openDatabase({ path })
const { query } = database
const sample: IndexedEvent[] = []
let textBytes = 0
const startedAt = performance.now()
for (let start = 0; start < wanted; start += 1024) {
  const count = Math.min(1024, wanted - start)
  const events = Array.from({ length: count }, (_, index) => eventOf(start + index))
  for (const { text } of events) textBytes += text.length
  const [first] = events
  if (first !== undefined && start % (1024 * 1000) === 0) sample.push(first)
  const position = { stream: 'worker-0', segment: 1, offset: start }
  await saveEventBlocks(query, packEvents(events.map(packed)), [], position)
  while (await mergeEventRuns(query)) continue
}
const filledIn = (performance.now() - startedAt) / 1000
const bytes = (await stat(path)).size + (await stat(`${path}-wal`)).size
const print = (line: string): void => void process.stdout.write(`${line}\n`)
print(`${wanted} events in ${filledIn.toFixed(0)} s (${Math.round(wanted / filledIn)} a second)`)
print(
  `records ${Math.round(textBytes / wanted)} bytes, index ${Math.round(bytes / wanted)} bytes each`,
)

const lookup = createEventLookup({
  listEventBlocks: (page) => listEventBlocks(query, page),
  findEventBlock: (block) => findEventBlock(query, block),
})
const place = { accountId, region }
const middle = (begin + end) / 2

async function measure(
  what: string,
  scopeOf: (round: number) => EventScope,
  span: readonly [number, number] = [begin, end],
  pages = 1,
): Promise<void> {
  const times: number[] = []
  let found = 0
  for (let round = 0; round < 50; round += 1) {
    let after: string | undefined
    for (let page = 0; page < pages; page += 1) {
      const at = performance.now()
      const asked = { scope: scopeOf(round), from: span[0], until: span[1], limit: 50 }
      const answer = await lookup.lookup({ ...asked, ...(after !== undefined && { after }) })
      times.push(performance.now() - at)
      found += answer.events.length
      after = answer.next
      if (after === undefined) break
    }
  }
  times.sort((a, b) => a - b)
  const [p50, p99] = [0.5, 0.99].map((part) => times[Math.floor(times.length * part)] ?? 0)
  print(`${what.padEnd(44)} p50 ${p50?.toFixed(1)} ms, p99 ${p99?.toFixed(1)} ms, ${found} found`)
}

const by = (name: string, value: string): EventScope => ({
  ...place,
  attribute: { name: name as 'EventName', value },
})
await measure('the latest', () => place)
await measure('the latest of a time in the middle', () => place, [begin, middle])
await measure('ten pages on', () => place, [begin, middle], 10)
await measure('by key', (round) =>
  by('ResourceName', `arn:aws:kms:${region}:${accountId}:key/${keys[round]}`),
)
await measure('by user', (round) => by('Username', `user-${round}`))
await measure('by event id', (round) => by('EventId', sample[round % sample.length]?.eventId ?? ''))
await measure('what is seldom there', () => by('EventName', 'ScheduleKeyDeletion'))
await measure('what is not there', () => by('Username', 'nobody'))
await database.close()
await rm(folder, { recursive: true })
