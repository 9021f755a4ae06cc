/**
 * What a data directory holds once its server is gone, the store beside the journal, and whether the two
 * tell one story. It opens both with the code of the server, and changes neither.
 * @module
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { readRecords } from '../../src/audit/journal/read-records.ts'
import { systemRandom } from '../../src/crypto/entropy.ts'
import { openKeyring } from '../../src/crypto/domain-keys.ts'
import type { AliasRecord, KeyRecord } from '../../src/model/key.ts'
import { fileSeal } from '../../src/seals/file.ts'
import { openAlone } from '../../src/seals/seal.ts'
import { createStore } from '../../src/store/bound-store.ts'
import { readDeployment } from '../../src/store/tables/deployment.ts'
import { openDatabase } from '../../src/store/open.ts'
import { assertCountsKept } from '../store/kept-counts.ts'

/** The members of an audit record that these tests look at. */
export interface AuditRecord {
  readonly eventID: string
  readonly eventName: string
  readonly awsRegion: string
  readonly requestID?: string
  readonly readOnly: boolean
  readonly errorCode?: string
  readonly requestParameters: Readonly<Record<string, unknown>> | null
  readonly responseElements: Readonly<Record<string, unknown>> | null
  readonly resources?: readonly { readonly ARN: string }[]
}

export interface StoredAndRecorded {
  readonly keys: readonly KeyRecord[]
  readonly aliases: readonly AliasRecord[]
  /** How many changes the store has ever seen. */
  readonly changes: number
  readonly outboxRows: number
  readonly records: readonly AuditRecord[]
}

/** Reads it all; no server may be running. Rows whose tag fails are a failure, and counts that are not theirs. */
export async function readStoredAndRecorded(
  dataDirectory: string,
  accountId: string,
  region: string,
): Promise<StoredAndRecorded> {
  // The first worker writes what others had committed when they died: behind all that those have written.
  const [records, firstWorkers]: [AuditRecord[], AuditRecord[]] = [[], []]
  await readRecords(join(dataDirectory, 'journal'), (text, stream) => {
    const record = JSON.parse(text) as AuditRecord // the members are asserted where they are used
    ;(stream === 'worker-0' ? firstWorkers : records).push(record)
  })
  for (const record of firstWorkers) records.push(record)
  const database = await openDatabase({ path: join(dataDirectory, 'trent.db') })
  try {
    const deployment = await readDeployment(database)
    assert.ok(deployment)
    const seal = fileSeal(join(dataDirectory, 'seal.key'), systemRandom)
    const rootKey = await openAlone(seal, deployment.seal.sealedRootKey, deployment.deploymentId)
    const { deploymentId, domainKeys } = deployment
    const forged: string[] = []
    const store = createStore(
      database,
      openKeyring(rootKey, deploymentId, domainKeys, systemRandom),
      { onForgedRow: (table, id) => forged.push(`${table} ${id}`) },
    )
    const page = { limit: 100_000 }
    const stored = {
      keys: await store.listKeys(accountId, region, page),
      aliases: await store.listAliases(accountId, region, page),
      changes: store.epoch(),
      outboxRows: (await store.listOutbox(100_000)).length,
    }
    assert.deepEqual(forged, [])
    await assertCountsKept(database)
    return { ...stored, records }
  } finally {
    await database.close()
  }
}

/**
 * A change exists if and only if its record does, and only once: as many records as changes, and the
 * records, played back, make the keys, tags, descriptions and aliases that are stored.
 */
export function assertOneStory({ keys, aliases, changes, records }: StoredAndRecorded): void {
  const changing = records.filter((record) => !record.readOnly && record.errorCode === undefined)
  const eventIds = new Set(records.map((record) => record.eventID))
  assert.equal(eventIds.size, records.length, 'each event once')
  const played = playBack(changing)
  assert.equal(played.changes, changes, 'as many records of changes as changes')
  const storedKeys = keys.map(({ keyId, description, tags }) => [
    keyId,
    {
      description,
      tags: Object.fromEntries(tags.map(({ TagKey, TagValue }) => [TagKey, TagValue])),
    },
  ])
  assert.deepEqual(Object.fromEntries(played.keys), Object.fromEntries(storedKeys))
  const storedAliases = aliases.map(({ name, targetKeyId }) => [name, targetKeyId])
  assert.deepEqual(Object.fromEntries(played.aliases), Object.fromEntries(storedAliases))
}

interface Played {
  changes: number
  readonly keys: Map<string, { description: string; tags: Record<string, string> }>
  readonly aliases: Map<string, string>
}

function playBack(records: readonly AuditRecord[]): Played {
  const played: Played = { changes: 0, keys: new Map(), aliases: new Map() }
  for (const record of records) play(record, played)
  return played
}

function play(record: AuditRecord, played: Played): void {
  const { keys, aliases } = played
  played.changes += 1
  const parameters = record.requestParameters ?? {}
  const keyId = String(parameters['keyId'])
  const alias = String(parameters['aliasName'])
  const key = (): { description: string; tags: Record<string, string> } => {
    const found = keys.get(keyId)
    assert.ok(found, `${record.eventName} of ${keyId} follows its CreateKey`)
    return found
  }
  switch (record.eventName) {
    case 'CreateAccount':
    case 'RotateKeyOnDemand':
    case 'RotateKey':
    case 'ImportKeyMaterial':
    case 'DeleteImportedKeyMaterial':
    case 'DeleteExpiredKeyMaterial':
    case 'ScheduleKeyDeletion':
      return
    case 'CreateKey': {
      const metadata = record.responseElements?.['keyMetadata'] as { keyId: string } | undefined
      assert.ok(metadata, 'a record of CreateKey names the key')
      assert.ok(!keys.has(metadata.keyId), `${metadata.keyId} has one record of its making`)
      const description = parameters['description'] as string // audited with a default
      keys.set(metadata.keyId, { description, tags: {} })
      return
    }
    case 'AcceptClock':
      played.changes -= 1 // of the process, and not of the store
      return
    case 'DeleteKey': {
      const [resource] = record.resources ?? []
      const deleted = resource?.ARN.split('/').at(-1) ?? ''
      assert.ok(keys.delete(deleted), `the deletion of ${deleted} follows its CreateKey`)
      return
    }
    case 'CreateAlias':
      assert.ok(!aliases.has(alias), `${alias} is made once`)
      aliases.set(alias, String(parameters['targetKeyId']))
      return
    case 'UpdateAlias':
      assert.ok(aliases.has(alias), `UpdateAlias of ${alias} follows its CreateAlias`)
      // An alias that is there already stays as it is: the call has a record, and changed nothing.
      if (aliases.get(alias) === parameters['targetKeyId']) played.changes -= 1
      aliases.set(alias, String(parameters['targetKeyId']))
      return
    case 'DeleteAlias':
      assert.ok(aliases.delete(alias), `DeleteAlias of ${alias} follows its CreateAlias`)
      return
    case 'TagResource':
      for (const { tagKey, tagValue } of parameters['tags'] as {
        tagKey: string
        tagValue: string
      }[]) {
        key().tags[tagKey] = tagValue
      }
      return
    case 'UntagResource':
      for (const tagKey of parameters['tagKeys'] as string[]) {
        assert.ok(Object.hasOwn(key().tags, tagKey))
        delete key().tags[tagKey]
      }
      return
    case 'UpdateKeyDescription':
      key().description = String(parameters['description'])
      return
    default:
      assert.fail(`no change is known that leaves a record of ${record.eventName}`)
  }
}
