/**
 * Counts of keys and aliases on a server that makes, moves and deletes them in every way there is, over
 * restarts: what `trent quotas` tells, and what is kept, is how many there are.
 *
 * TRENT_COUNTS_SEED says which choices.
 * @module
 */
import assert from 'node:assert/strict'
import { randomInt, randomUUID } from 'node:crypto'
import { test } from 'node:test'
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  type KMSClient,
  KMSServiceException,
  paginateListAliases,
  paginateListKeys,
  ReplicateKeyCommand,
  ScheduleKeyDeletionCommand,
  UpdateAliasCommand,
  UpdatePrimaryRegionCommand,
} from '@aws-sdk/client-kms'
import { callOperator } from '../../src/operator/client.ts'
import type { QuotasAnswer } from '../../src/operations/trent/shown-quotas.ts'
import { seeded, type Seeded } from '../durability/seeded.ts'
import { accountId, startTestServer, type TestServer } from '../harness.ts'
import { assertCountsKept } from '../store/kept-counts.ts'
import { apply } from './applied.ts'
import { makeKey } from './sdk.ts'
import { withDatabase } from './stored.ts'
import { advance } from './test-clock.ts'

const seed = Number(process.env['TRENT_COUNTS_SEED'] ?? randomInt(2 ** 32 - 1))
const steps = 120
const stepsToRestart = 30
const regions = ['us-west-2', 'eu-west-1'] as const
const settings = {
  TRENT_TEST_API: 'on',
  // Few enough that some calls are refused.
  TRENT_QUOTAS: 'aws',
  TRENT_QUOTA_OVERRIDES: [
    'keys=8,aliases=10,aliasesPerKey=4',
    ...['CreateKey', 'CreateAlias', 'UpdateAlias', 'ReplicateKey'].map((name) => `${name}=1000`),
    ...['UpdatePrimaryRegion', 'CancelKeyDeletion'].map((name) => `${name}=1000`),
  ].join(','),
}

interface World {
  readonly server: TestServer
  readonly client: (region: string) => KMSClient
  readonly random: Seeded
}

async function keysIn(client: KMSClient): Promise<readonly string[]> {
  const keyIds: string[] = []
  for await (const { Keys = [] } of paginateListKeys({ client }, {})) {
    keyIds.push(...Keys.flatMap(({ KeyId }) => KeyId ?? []))
  }
  return keyIds
}

/** But for those that AWS has made. */
async function aliasesIn(client: KMSClient): Promise<readonly string[]> {
  const names: string[] = []
  for await (const { Aliases = [] } of paginateListAliases({ client }, {})) {
    names.push(...Aliases.flatMap(({ AliasName }) => AliasName ?? []))
  }
  return names.filter((name) => !name.startsWith('alias/aws/'))
}

type Act = (world: World, client: KMSClient) => Promise<unknown>

const anyKey = async ({ random }: World, client: KMSClient, prefix = ''): Promise<string> =>
  random.oneOf((await keysIn(client)).filter((keyId) => keyId.startsWith(prefix))) ?? randomUUID()
const anyAlias = async ({ random }: World, client: KMSClient): Promise<string> =>
  random.oneOf(await aliasesIn(client)) ?? 'alias/none'

const acts: Readonly<Record<string, Act>> = {
  CreateKey: ({ random }, client) => makeKey(client, { MultiRegion: random.below(2) === 0 }),
  ReplicateKey: async (world, client) => {
    const ReplicaRegion = world.random.oneOf(regions)
    await client.send(
      new ReplicateKeyCommand({ KeyId: await anyKey(world, client, 'mrk-'), ReplicaRegion }),
    )
  },
  UpdatePrimaryRegion: async (world, client) => {
    const PrimaryRegion = world.random.oneOf(regions)
    await client.send(
      new UpdatePrimaryRegionCommand({ KeyId: await anyKey(world, client, 'mrk-'), PrimaryRegion }),
    )
  },
  CreateAlias: async (world, client) =>
    client.send(
      new CreateAliasCommand({
        AliasName: `alias/${world.random.below(30)}`,
        TargetKeyId: await anyKey(world, client),
      }),
    ),
  UpdateAlias: async (world, client) =>
    client.send(
      new UpdateAliasCommand({
        AliasName: await anyAlias(world, client),
        TargetKeyId: await anyKey(world, client),
      }),
    ),
  DeleteAlias: async (world, client) =>
    client.send(new DeleteAliasCommand({ AliasName: await anyAlias(world, client) })),
  ScheduleKeyDeletion: async (world, client) =>
    client.send(
      new ScheduleKeyDeletionCommand({
        KeyId: await anyKey(world, client),
        PendingWindowInDays: 7,
      }),
    ),
  CancelKeyDeletion: async (world, client) =>
    client.send(new CancelKeyDeletionCommand({ KeyId: await anyKey(world, client) })),
  'a key that AWS manages': ({ random }, client) =>
    client.send(new DescribeKeyCommand({ KeyId: random.oneOf(['alias/aws/ebs', 'alias/aws/s3']) })),
  'a week': ({ server }) => advance(server.url, '8d'),
  apply: ({ server, random }) => apply(server, fileOf(random), {}),
  'apply --prune': ({ server, random }) => apply(server, fileOf(random), { prune: true }),
  'apply --dry-run': ({ server, random }) => apply(server, fileOf(random), { dryRun: true }),
  reset: async ({ server }) => {
    const answer = await fetch(`${server.url}/_trent/test/reset`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{}',
    })
    assert.equal(answer.status, 200)
  },
}

/** What makes something comes up more often than what takes all away. */
const chosen = Object.keys(acts).flatMap((name) =>
  Array.from(
    { length: name === 'reset' ? 1 : /Key$|Alias$|apply$/.test(name) ? 6 : 3 },
    () => name,
  ),
)

function fileOf(random: Seeded): object {
  const id = (): string => `0000000${random.below(4)}-0000-4000-8000-000000000000`
  const keys = [...new Set([id(), id(), id()])].map((keyId) => ({
    keyId,
    region: regions[0],
    aliases: [`alias/file-${random.below(6)}-${keyId.at(7)}`],
  }))
  return { accounts: [{ accountId, keys }] }
}

async function assertTold({ server, client }: World): Promise<void> {
  for (const region of regions) {
    const answer = (await callOperator(server.directory, 'GetQuotas', { region })) as QuotasAnswer
    const used = new Map(answer.resources.map((one) => [one.name, one.used]))
    const kms = client(region)
    const keys = await keysIn(kms)
    const managers = await Promise.all(
      keys.map((KeyId) => kms.send(new DescribeKeyCommand({ KeyId }))),
    )
    const own = managers.filter(({ KeyMetadata }) => KeyMetadata?.KeyManager === 'CUSTOMER')
    assert.equal(used.get('keys'), own.length)
    assert.equal(used.get('aliases'), (await aliasesIn(kms)).length)
  }
}

test('whatever makes and deletes keys and aliases, the counts are how many there are', async (t) => {
  t.diagnostic(`TRENT_COUNTS_SEED=${seed}`)
  const random = seeded(seed)
  const seen = new Map<string, number>()
  let server = await startTestServer(settings)
  for (let step = 1; step <= steps; step += 1) {
    const client = (region: string): KMSClient => server.client({ region })
    const world = { server, client, random }
    const name = random.oneOf(chosen) ?? ''
    const act = acts[name]?.(world, client(random.oneOf(regions) ?? regions[0]))
    const outcome = await (act ?? Promise.reject(new Error(name))).then(
      () => 'done',
      (error: unknown) => {
        // Commands are refused by a message that names the error.
        if (error instanceof KMSServiceException) return error.name
        if (name.startsWith('apply') && error instanceof Error) return error.message.slice(0, 60)
        throw error
      },
    )
    seen.set(`${name}: ${outcome}`, (seen.get(`${name}: ${outcome}`) ?? 0) + 1)
    await assertTold(world)
    if (step % stepsToRestart > 0) continue
    await server.stop('keep')
    await withDatabase(server.directory, assertCountsKept)
    server = await startTestServer(settings, { directory: server.directory })
  }
  await server.stop()
  t.diagnostic([...seen].map(([what, often]) => `${what} ${often}`).join(', '))
})
