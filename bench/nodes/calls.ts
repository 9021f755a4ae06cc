/**
 * Encrypt, CreateKey and CreateGrant on the embedded database and on PostgreSQL, with one node and with two, in
 * alternating rounds of the same run.
 * @module
 */
import { join } from 'node:path'
import { cases } from '../cases.ts'
import { clientsOf, newKey } from '../data.ts'
import { joinLatencies } from '../latencies.ts'
import { closedLoop, eachOf, type Load } from '../load.ts'
import { figures, type Total } from '../measure.ts'
import { accountId, makeDirectory, region, root, startTrent, type Server } from '../servers.ts'
import { createSigner, signedRequest } from '../sign.ts'
import { print, tableHead, tableLine, type Column } from '../table.ts'
import { addUsage, noUsage, readUsage, usageBetween, type Usage } from '../usage.ts'
import { startNodes, type Database } from './postgres.ts'

/** A deployment that is measured. Its nodes share the load. */
interface Deployment {
  readonly name: string
  readonly nodes: readonly Server[]
  readonly database?: string
}

/** What the rounds of a deployment showed. */
interface Measured extends Total {
  /** Of PostgreSQL, while this deployment had the load. */
  readonly ofDatabase: Usage
  readonly transactions: number
}

const nothing: Measured = {
  requests: 0,
  seconds: 0,
  usage: noUsage,
  received: 0,
  latencies: joinLatencies(),
  ofDatabase: noUsage,
  transactions: 0,
}

const connections = 16
const rounds = 3
/** Requests of a deployment in all rounds, as shares of the number that was asked for. */
const measured = [
  { name: 'Encrypt', share: 1 },
  { name: 'CreateKey', share: 0.2 },
  { name: 'CreateGrant', share: 0.2 },
] as const

const columns: readonly Column[] = [
  { name: 'case', width: 11 },
  { name: 'deployment', width: 18 },
  { name: 'req/s', width: 6, digits: 0 },
  { name: 'p50 ms', width: 7, digits: 2 },
  { name: 'p99 ms', width: 7, digits: 2 },
  { name: 'main µs', width: 7, digits: 0 },
  { name: 'process µs', width: 10, digits: 0 },
  { name: 'PostgreSQL µs', width: 13, digits: 0 },
  { name: 'transactions', width: 12, digits: 2 },
  { name: 'others %', width: 8, digits: 0 },
]

export async function measureCalls(postgres: Database, requests: number): Promise<void> {
  const deployments: readonly Deployment[] = [
    { name: 'SQLite', nodes: [await startTrent(join(makeDirectory(), 'data'))] },
    {
      name: 'PostgreSQL, 1 node',
      nodes: await startNodes(await postgres.create('one'), 1),
      database: 'one',
    },
    {
      name: 'PostgreSQL, 2 nodes',
      nodes: await startNodes(await postgres.create('two'), 2),
      database: 'two',
    },
  ]
  print(`\nCalls: ${connections} connections, a closed loop\n${tableHead(columns)}`)
  for (const { name, share } of measured) {
    const each = Math.ceil((requests * share) / rounds)
    for (const [deployment, found] of await inRounds(postgres, deployments, name, each)) {
      const [node] = deployment.nodes
      if (node !== undefined) print(tableLine(rowOf(name, deployment, node, found), columns))
    }
  }
  for (const node of deployments.flatMap(({ nodes }) => nodes)) await node.stop()
}

function rowOf(
  name: string,
  { name: deployment, database }: Deployment,
  node: Server,
  of: Measured,
) {
  const { usage, ofDatabase, requests } = of
  const others = usage.others - ofDatabase.process
  return {
    ...figures(node, { ...of, usage: { ...usage, others } }),
    case: name,
    deployment,
    ...(database !== undefined && {
      'PostgreSQL µs': ofDatabase.process / requests / 1000,
      transactions: of.transactions / requests,
    }),
  }
}

async function inRounds(
  postgres: Database,
  deployments: readonly Deployment[],
  name: string,
  each: number,
): Promise<ReadonlyMap<Deployment, Measured>> {
  const totals = new Map<Deployment, Measured>()
  const makers = new Map<Deployment, Maker>()
  for (const deployment of deployments) {
    const make = await prepare(deployment, name)
    await loadAll(deployment, make, each)
    makers.set(deployment, make)
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const [deployment, make] of makers) {
      const known = totals.get(deployment) ?? nothing
      totals.set(deployment, added(known, await oneRound(postgres, deployment, make, each)))
    }
  }
  return totals
}

async function oneRound(
  postgres: Database,
  deployment: Deployment,
  make: Maker,
  each: number,
): Promise<Measured> {
  const { nodes, database } = deployment
  const pids = nodes.map(({ pid }) => pid)
  const read = async () => ({
    usage: readUsage(...pids),
    ofDatabase: readUsage(postgres.pid),
    transactions: database === undefined ? 0 : await postgres.transactions(database),
  })
  const before = await read()
  const loads = await loadAll(deployment, make, each)
  const after = await read()
  return {
    requests: loads.reduce((sum, { latencies }) => sum + latencies.count, 0),
    seconds: Math.max(...loads.map(({ seconds }) => seconds)),
    received: loads.reduce((sum, { received }) => sum + received, 0),
    latencies: joinLatencies(...loads.map(({ latencies }) => latencies)),
    usage: usageBetween(before.usage, after.usage),
    ofDatabase: usageBetween(before.ofDatabase, after.ofDatabase),
    transactions: after.transactions - before.transactions,
  }
}

function added(one: Measured, other: Measured): Measured {
  return {
    requests: one.requests + other.requests,
    seconds: one.seconds + other.seconds,
    received: one.received + other.received,
    latencies: joinLatencies(one.latencies, other.latencies),
    usage: addUsage(one.usage, other.usage),
    ofDatabase: addUsage(one.ofDatabase, other.ofDatabase),
    transactions: one.transactions + other.transactions,
  }
}

/** Makes signed requests for a node. */
type Maker = (node: Server, count: number) => readonly Buffer[]

async function prepare({ nodes: [first] }: Deployment, name: string): Promise<Maker> {
  const one = cases.find((each) => each.name === name)
  if (one === undefined || first === undefined) throw new Error(`no case ${name}`)
  const { kms, iam } = clientsOf(first)
  const granteeArn = `arn:aws:iam::${accountId}:root`
  const next = await one.prepare({ kms, keyIds: [await newKey(kms)], bytes: 32, granteeArn })
  kms.destroy()
  iam.destroy()
  const { accessKeyId, secretAccessKey } = root
  return ({ port }, count) => {
    // Signatures are valid for some minutes.
    const signer = createSigner(`127.0.0.1:${port}`, region, accessKeyId, secretAccessKey)
    return Array.from({ length: count }, () => signedRequest(signer, one.operation, next()))
  }
}

/** Each node gets its part of the connections and of the requests. */
function loadAll({ nodes }: Deployment, make: Maker, requests: number): Promise<readonly Load[]> {
  const made = nodes.map((node) => make(node, Math.ceil(requests / nodes.length)))
  return Promise.all(
    nodes.map(({ port }, index) =>
      closedLoop(port, eachOf(made[index] ?? []), connections / nodes.length),
    ),
  )
}
