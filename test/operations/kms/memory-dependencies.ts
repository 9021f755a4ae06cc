/**
 * In-memory dependencies, and calls of operations with them: input, keys, usage and state are checked as in
 * the pipeline, and every permission is granted.
 */
import { KmsError } from '../../../src/errors.ts'
import type { Caller } from '../../../src/model/caller.ts'
import type { GrantRecord } from '../../../src/model/grant.ts'
import { keyArn, type AliasRecord, type KeyRecord } from '../../../src/model/key.ts'
import { requireState } from '../../../src/model/key-state.ts'
import { createRegionTable } from '../../../src/model/region.ts'
import { readInput } from '../../../src/model/shape.ts'
import type { LastUsage, LostUsage } from '../../../src/model/last-usage.ts'
import type { Operation } from '../../../src/operations/contract/operation.ts'
import { kmsRegistry } from '../../../src/operations/kms/registry.ts'
import { readIdentifier } from '../../../src/model/identifiers.ts'
import { createQuotas } from '../../../src/throttle/profiles.ts'
import { keyStore } from './memory-messages.ts'
import type { FurtherEvent } from '../../../src/model/further-event.ts'
import { keyStoresOutside } from './memory-key-stores.ts'
import { reads, transactionOn, type Rows } from './memory-store.ts'
import { withUnused } from './unused.ts'
import type { Call, UsedMaterials } from '../../../src/operations/contract/call.ts'
import type { OperationDependencies } from '../../../src/operations/contract/dependencies.ts'

export const accountId = '111122223333'
export const region = 'us-west-2'
export const partition = 'aws'
export const start = Date.UTC(2026, 0, 2, 15, 4, 5)

const caller: Caller = {
  kind: 'root',
  accountId,
  arn: `arn:aws:iam::${accountId}:root`,
  uniqueId: accountId,
}

export interface World {
  readonly rows: Rows
  readonly dependencies: OperationDependencies
  /** Plaintext buffers that the key store returned. */
  readonly handedOut: Buffer[]
  commits: number
  /** Runs after a call has read its rows and before it changes them. */
  beforeCommit: () => void
  now: number
  /** The last use of each key, by key id. */
  readonly usages: Map<string, LastUsage | LostUsage>
  /** What `policies.check` returns or throws. */
  checkPolicy: () => Promise<Readonly<Record<string, string>>>
  /** The unique ids of existing principals, by ARN. */
  readonly principals: Map<string, string>
  /** The additional audit records of calls. */
  readonly further: FurtherEvent[]
  /** The materials that calls reported to use. */
  readonly used: UsedMaterials
  /** What the proxies of key stores do when they are asked; a throw is their answer. */
  askOutside: (question: string) => void
  readonly keyStoreOf: Call<never, string>['keyStoreOf']
}

/** The result of a call: its output, and the input after parsing. */
export type Answer = Readonly<Record<string, unknown>>

export function createWorld(): World {
  const rows: Rows = {
    keys: [],
    keyStores: [],
    hsmObjects: [],
    aliases: [],
    materials: [],
    materialStates: [],
    grants: [],
  }
  const handedOut: Buffer[] = []
  let ids = 0
  const store = reads(rows)
  const ownKeyStore = keyStore(handedOut, () => world.now)
  const world: World = {
    rows,
    handedOut,
    commits: 0,
    beforeCommit: () => undefined,
    now: start,
    usages: new Map(),
    checkPolicy: async () => ({ [caller.arn]: accountId }),
    principals: new Map([[caller.arn, accountId]]),
    used: {},
    askOutside: () => undefined,
    keyStoreOf: () => ownKeyStore,
    further: [],
    dependencies: withUnused<OperationDependencies>({
      store,
      ...keyStoresOutside((question) => world.askOutside(question)),
      clock: { now: () => world.now, system: () => world.now },
      random: {
        bytes: (length) => {
          const bytes = Buffer.alloc(length)
          // Grant ids must differ.
          if (length === 32) bytes.writeUInt32BE((ids += 1), length - 4)
          return bytes
        },
        uuid: () => {
          ids += 1
          return `00000000-0000-4000-8000-${String(ids).padStart(12, '0')}`
        },
      },
      regions: createRegionTable(),
      pages: {
        open: (scope, marker) => {
          if (marker === undefined) return undefined
          if (!marker.startsWith(`${scope}|`)) throw new KmsError('InvalidMarkerException')
          return marker.slice(scope.length + 1)
        },
        seal: (scope, after) => `${scope}|${after}`,
      },
      policies: {
        shown: async (key) => key.policy,
        defaultFor: (_partition, account) => `default of ${account}`,
        check: () => world.checkPolicy(),
      },
      trustPolicies: {
        check: () => Promise.resolve({}),
        shown: ({ trustPolicy }) => Promise.resolve(trustPolicy),
      },
      forwardAccess: { prove: () => Promise.reject(new Error('no service calls')) },
      principals: {
        idOf: async (arn) => world.principals.get(arn),
        ofRoleId: () => Promise.resolve(undefined),
      },
      // Serves as a token: a new text each time, which names its grant.
      grantTokens: {
        seal: ({ grantId }) => {
          ids += 1
          return `${grantId}.${ids}`
        },
      },
      accessKeyUses: { lastOf: () => Promise.resolve(undefined) },
      roleUses: { lastOf: () => Promise.resolve(undefined) },
      keyUsages: {
        since: start,
        lastOf: async (key) => world.usages.get(key.keyId),
        settle: () => Promise.resolve(undefined),
      },
      quotas: { ...createQuotas('aws'), rates: () => [] },
    }),
  }
  return world
}

/** Parses `given` by the operation's shapes. @throws {InputRefused} with the failures */
export function readGiven(operation: Operation, given: Answer): Answer {
  const { input, failures } = readInput(operation.input, given)
  if (failures.length > 0) throw new InputRefused(failures)
  return input
}

/** The failures of an input. */
export class InputRefused extends Error {
  readonly failures: readonly unknown[]

  constructor(failures: readonly unknown[]) {
    super(JSON.stringify(failures))
    this.failures = failures
  }
}

async function keyNamed(
  world: World,
  name: string,
  forms: 'key' | 'any',
  place: string,
): Promise<KeyRecord> {
  const identifier = readIdentifier(name, forms, { accountId, region: place, partition })
  const ref =
    identifier.kind === 'key'
      ? identifier.key
      : {
          accountId,
          region: place,
          keyId: (await world.dependencies.store.findAlias(identifier.alias))?.targetKeyId ?? '',
        }
  const key = await world.dependencies.store.findKey(ref)
  if (key === undefined)
    throw new KmsError('NotFoundException', `Key '${keyArn(partition, ref)}' does not exist`)
  return key
}

async function resolveKeys(
  world: World,
  operation: Operation,
  input: Answer,
  current: AliasRecord | undefined,
  place: string,
): Promise<Record<string, KeyRecord>> {
  const keys: Record<string, KeyRecord> = {}
  for (const [name, use] of Object.entries(operation.keys)) {
    const given = operation.alias?.target === name ? current?.targetKeyId : input[use.from]
    const sealed = use.ciphertext === undefined ? undefined : input[use.ciphertext]
    const named =
      typeof given === 'string'
        ? given
        : (JSON.parse(Buffer.from(sealed as Uint8Array).toString()) as { keyId: string }).keyId // sealed here
    const elsewhere = use.region === undefined ? undefined : String(input[use.region])
    const there = { accountId, region: elsewhere ?? place, keyId: named }
    if (elsewhere !== undefined && (await world.dependencies.store.findKey(there)) === undefined)
      continue
    const key = await keyNamed(world, named, use.forms, there.region)
    if (use.usage !== undefined) {
      if (key.usage !== use.usage) throw new KmsError('InvalidKeyUsageException', use.usedFor)
    }
    requireState(keyArn(partition, key), key.state, use.states)
    keys[name] = key
  }
  return keys
}

/** Finds the grant of a token or an id. The pipeline has the errors for missing ones. */
function grantNamed(world: World, { grant }: Operation, input: Answer): GrantRecord | undefined {
  if (grant === undefined) return undefined
  const [id] = String(input[grant.token] ?? input[grant.from]).split('.')
  return world.rows.grants.find(({ grantId }) => grantId === id)
}

/** Calls the operation with this name. */
export async function call(
  world: World,
  name: string,
  given: Answer = {},
  place: string = region,
): Promise<Answer> {
  const operation = kmsRegistry.get(`kms:${name}`)
  if (operation === undefined) throw new Error(`no operation ${name}`)
  const input = readGiven(operation, given)
  operation.check?.(input)
  const aliasName = operation.alias === undefined ? undefined : input[operation.alias.from]
  const ref = { accountId, region: place, name: String(aliasName) }
  const record = await world.dependencies.store.findAlias(ref)
  const grant = grantNamed(world, operation, input)
  const named = grant === undefined ? input : { ...input, KeyId: grant.keyId }
  const keys = await resolveKeys(world, operation, named, record, place)
  const further: FurtherEvent[] = []
  const running: Call<Answer, string> = {
    input,
    caller,
    partition,
    region: place,
    origin: { sourceAddress: '127.0.0.1', secure: false, userAgent: undefined, referer: undefined },
    requestId: 'request',
    operation: name,
    keyStoreOf: (key) => world.keyStoreOf(key),
    keys,
    ...(aliasName === undefined ? {} : { alias: record === undefined ? ref : { ...ref, record } }),
    ...(grant && { grant }),
    signal: new AbortController().signal,
    arn: (key) => keyArn(partition, key),
    made: () => undefined,
    concerning: () => undefined,
    usesMaterials: (materials) => void Object.assign(world.used, materials),
    aboutKeyStore: () => undefined,
    alsoRecords: (event) => void further.push(event),
    commit: async (work) => {
      world.beforeCommit()
      const copy = structuredClone(world.rows)
      further.length = 0
      const output = await work(transactionOn(copy))
      Object.assign(world.rows, copy)
      world.further.push(...further)
      world.commits += 1
      return output
    },
  }
  const output = await operation.run(running, world.dependencies)
  return (output ?? {}) as Answer // an answer is an object, or nothing
}

/** Creates a key and returns its present row. */
export async function makeKey(world: World, given: Answer = {}): Promise<KeyRecord> {
  await call(world, 'CreateKey', given)
  const key = world.rows.keys.at(-1)
  if (key === undefined) throw new Error('no key was made')
  return key
}

/** Changes a row directly, without an operation. */
export function alter(world: World, key: KeyRecord, changes: Partial<KeyRecord>): KeyRecord {
  const index = world.rows.keys.findIndex(({ keyId }) => keyId === key.keyId)
  const row = { ...world.rows.keys[index], ...changes } as KeyRecord // the row is there
  world.rows.keys[index] = row
  return row
}

export function rowOf(world: World, keyId: string): KeyRecord {
  const key = world.rows.keys.find((one) => one.keyId === keyId)
  if (key === undefined) throw new Error(`no key ${keyId}`)
  return key
}
