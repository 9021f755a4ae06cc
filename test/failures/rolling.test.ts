/** Nodes, and then members of the database, are upgraded one after another under load: no call fails. @module */
import assert from 'node:assert/strict'
import { dirname } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  EncryptCommand,
  KMSClient,
  UpdateKeyDescriptionCommand,
} from '@aws-sdk/client-kms'
import { startBalancer, type Balancer } from './balancer.ts'
import { temporaryFolder } from '../start/serve-process.ts'
import { startCluster, type Cluster } from './cluster.ts'
import { Fleet } from './fleet.ts'
import type { Member } from './member.ts'
import { rootLogin } from './node-process.ts'
import { nodejsUpgrade, postgresUpgrade } from './other-programs.ts'
import { patroniPrograms } from './patroni-programs.ts'
import { makeDatabase } from './parts.ts'
import { untilReady } from './round.ts'

const programs = await patroniPrograms()
const skip = 'skip' in programs ? programs.skip : false

interface Load {
  /** @returns the number of calls, after all of them were answered */
  readonly stop: () => Promise<number>
  readonly failures: readonly string[]
}

/** Callers that change and use keys. The client does not repeat calls. */
async function startLoad(url: string): Promise<Load> {
  const client = new KMSClient({
    endpoint: url,
    region: 'us-west-2',
    maxAttempts: 1,
    credentials: rootLogin,
  })
  const { KeyMetadata } = await client.send(new CreateKeyCommand({}))
  const KeyId = KeyMetadata?.KeyId ?? ''
  const failures: string[] = []
  const stopping = new AbortController()
  let calls = 0
  const one = async (caller: number, number: number): Promise<void> => {
    calls += 1
    const Plaintext = Buffer.from(`${caller} ${number}`)
    if (number % 10 === 0) {
      const Description = `caller ${caller}, call ${number}`
      await client.send(new UpdateKeyDescriptionCommand({ KeyId, Description }))
    } else if (number % 25 === 1) {
      const AliasName = `alias/rolling-${caller}-${number}`
      await client.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyId }))
    } else {
      const { CiphertextBlob } = await client.send(new EncryptCommand({ KeyId, Plaintext }))
      calls += 1
      const opened = await client.send(new DecryptCommand({ CiphertextBlob }))
      assert.deepEqual(Buffer.from(opened.Plaintext ?? []), Plaintext)
    }
  }
  const callers = Array.from({ length: 4 }, async (_, caller) => {
    for (let number = 0; !stopping.signal.aborted; number += 1) {
      await one(caller, number).catch((error: unknown) => {
        failures.push(`${new Date().toISOString().slice(11, 19)} ${String(error)}`)
      })
      await sleep(30)
    }
  })
  return {
    failures,
    async stop() {
      stopping.abort()
      await Promise.all(callers)
      client.destroy()
      return calls
    },
  }
}

interface Place {
  readonly cluster: Cluster
  readonly fleet: Fleet
  readonly balancer: Balancer
}

/** @param bin the folder of PostgreSQL's programs */
async function startPlace(t: TestContext, nodejs: string, bin: string): Promise<Place> {
  assert.ok(!('skip' in programs))
  const postgres = { ...programs.postgres, folder: bin }
  const cluster = await startCluster({
    programs: { ...programs, postgres },
    members: 3,
    strict: true,
  })
  t.after(() => cluster.stop())
  await cluster.healthy(60_000)
  await makeDatabase(cluster)
  const fleet = await Fleet.start({
    nodes: 3,
    nodejs,
    members: cluster.members.map(({ ports }) => ports.postgres),
    password: cluster.password,
    // Above the time that a planned change of the primary takes.
    freshnessSeconds: 20,
    requireSynchronous: true,
    settings: { TRENT_STOP_DELAY_SECONDS: '2' },
  })
  t.after(async () => {
    await fleet.stop()
    fleet.remove()
  })
  await untilReady(fleet)
  const balancer = await startBalancer(fleet.processes)
  t.after(() => balancer.close())
  return { cluster, fleet, balancer }
}

/** Restarts each node, after the ones before are back. */
async function restartNodes({ fleet, balancer }: Place): Promise<void> {
  for (const node of fleet.processes) {
    assert.equal(await node.terminate(), 0, node.tail)
    await node.start()
    while (balancer.ready().length < fleet.nodes) await sleep(50)
  }
}

/** Replaces each standby, changes the primary, and replaces the one that it was. */
async function restartMembers({ cluster }: Place, bin: string): Promise<void> {
  const leader = await cluster.leader()
  assert.ok(leader)
  const replaced = async (member: Member): Promise<void> => {
    await member.end()
    member.usePrograms(bin)
    member.start()
    await cluster.healthy(120_000)
  }
  for (const member of cluster.members) if (member !== leader) await replaced(member)
  assert.ok(await cluster.switchover(leader))
  await cluster.healthy(120_000)
  assert.notEqual(await cluster.leader(), leader)
  await replaced(leader)
}

test(
  'nodes and their database are upgraded one after another without one failed call',
  { skip, timeout: 900_000 },
  async (t) => {
    assert.ok(!('skip' in programs))
    const nodejs = await nodejsUpgrade(temporaryFolder(t))
    const postgres = postgresUpgrade(programs.postgres.folder, temporaryFolder(t))
    t.diagnostic(`Node.js ${nodejs.versions}; PostgreSQL ${postgres.versions}`)
    const place = await startPlace(t, nodejs.from, dirname(postgres.from))
    const runs = (all: readonly { readonly program: string | undefined }[]): readonly unknown[] => [
      ...new Set(all.map(({ program }) => program)),
    ]
    const { fleet, cluster, balancer } = place
    const load = await startLoad(balancer.url)
    assert.deepEqual(runs(fleet.processes), [nodejs.from])
    for (const node of fleet.processes) node.nodejs = nodejs.to
    await restartNodes(place)
    assert.deepEqual(runs(fleet.processes), [nodejs.to])
    assert.deepEqual(load.failures, [], 'nodes, with another Node.js')

    assert.deepEqual(runs(cluster.members), [postgres.from])
    await restartMembers(place, dirname(postgres.to))
    assert.deepEqual(runs(cluster.members), [postgres.to])
    const calls = await load.stop()
    assert.deepEqual(load.failures, [], 'the database')
    assert.ok(calls > 100)
    t.diagnostic(`${calls} calls, none failed`)
  },
)
