/**
 * The ports that the pipeline and the operations work with, joined for one running server.
 * @module
 */
import type { Logger } from 'pino'
import { createRefusals } from './authenticate/refusals.ts'
import { createFetchDocument, mayAsk } from './authenticate/issuer-documents.ts'
import { createIssuerKeys } from './authenticate/issuer-keys.ts'
import type { Anchors } from './audit/anchors.ts'
import type { Delivery } from './audit/delivery/delivery.ts'
import { createEventLookup } from './audit/event-lookup.ts'
import type { OpenJournal } from './audit/journal.ts'
import { createRefusedCalls } from './audit/refused-calls.ts'
import { authenticateWebIdentity } from './authenticate/web-identity.ts'
import type { Config } from './config.ts'
import { createAccessKeys, createFixedAccessKeys } from './crypto/new-access-key.ts'
import type { Keyring } from './crypto/keyring.ts'
import type { DeploymentPorts, FirstAccount } from './deployment.ts'
import type { MovableClock } from './jobs/clock.ts'
import { createIdentityUses } from './lifecycle/identity-uses.ts'
import type { Meter } from './metrics/meter.ts'
import { deploymentReaders, workerReaders } from './metrics/readers.ts'
import type { Caller } from './model/caller.ts'
import type { Random } from './model/clock.ts'
import type { TrailPorts } from './model/trail.ts'
import { formatArn } from './model/arn.ts'
import type { OperationPorts, PrincipalChecks } from './operations/operation.ts'
import { queryRegistry } from './operations/query-registry.ts'
import { registry } from './operations/registry.ts'
import { metricRegistry } from './operations/metric-registry.ts'
import { trailRegistry } from './operations/trail-registry.ts'
import {
  operatorOperations,
  serviceOperations,
  testOperations,
} from './operations/trent/operations.ts'
import { createCallers } from './resolve/callers.ts'
import { createExplanations } from './resolve/explain-access.ts'
import { createKeyPolicies } from './resolve/key-policies.ts'
import type { Place } from './resolve/identifiers.ts'
import { readAccounts } from './resolve/known-accounts.ts'
import type { Lookup } from './resolve/lookup.ts'
import type { GrantReader } from './resolve/grant-reader.ts'
import { createGrantTokens } from './resolve/grant-tokens.ts'
import { createDeletionTasks } from './resolve/deletion-tasks.ts'
import { createPages } from './resolve/markers.ts'
import {
  createFindPrincipal,
  createFindRolePrincipal,
  createFindUserArn,
} from './resolve/principals.ts'
import { createTrustPolicies } from './resolve/trust-policies.ts'
import { createRecipients } from './resolve/recipient.ts'
import { createTurns } from './resolve/turns.ts'
import type { PipelinePorts } from './running-call.ts'
import type { Store } from './store/store.ts'
import { createBuckets, processMilliseconds } from './throttle/buckets.ts'
import { createFaults, type Faults } from './throttle/faults.ts'
import { createThrottle, type Throttle } from './throttle/throttle.ts'
import { serverControls } from './server-controls.ts'
import { openJobs, openWorks, type Works } from './works.ts'
import { securityOf } from './wire/proxies.ts'
import type { SharedMemory } from './workers/memory.ts'
import type { Noted } from './workers/questions.ts'
import type { WorkerConfig } from './workers/worker-config.ts'
import type { Workers } from './workers/workers.ts'

/** What every worker's calls are made of. */
export interface WorkerParts {
  readonly clock: MovableClock
  readonly random: Random
  readonly store: Store
  readonly keyring: Keyring
  readonly journal: OpenJournal
  readonly anchors: Anchors
  readonly trails: TrailPorts
  /** What `Store.trackUsageSince` answered. */
  readonly usageTrackedSince: number
  readonly meter: Meter
  readonly log: Logger
  readonly memory: SharedMemory
  readonly others: OtherWorkers
  readonly grantReader: GrantReader
}

/** What a worker asks of all the others. */
export interface OtherWorkers {
  /** What they have noted of a thing and not yet saved. */
  noted<Kind extends keyof Noted>(kind: Kind, name: string): Promise<Noted[Kind]>
}

/** What the first worker has, and the others ask it for. */
export interface ServerParts extends WorkerParts, Pick<DeploymentPorts, 'database' | 'seal'> {
  readonly delivery: Delivery
  readonly workers: Workers
  readonly firstAccount: FirstAccount
  readonly startedAt: number
}

/** What is not the same in the first worker and in the others. */
export type WorkerDuties = Pick<
  PipelinePorts,
  'registry' | 'refusals' | 'faults' | 'inTurn' | 'insider'
> &
  Pick<OperationPorts, 'server'>

export interface OpenPorts {
  readonly ports: PipelinePorts
  readonly works: Works
  readonly close: () => Promise<void>
}

export interface OpenServerPorts extends OpenPorts {
  readonly takeFault: Faults['take']
}

/** Those of the first worker: it answers for all, and does what the clock starts. */
export function openPorts(config: Config, parts: ServerParts): OpenServerPorts {
  const { delivery, clock, log, meter } = parts
  const works = openWorks(config, parts)
  const jobs = openJobs(parts, works)
  const refusals = createRefusals(log, clock)
  const faults = createFaults(parts.memory.faults)
  const duties = {
    registry: servedOperations(config),
    refusals,
    faults,
    inTurn: createTurns(),
    insider: insiders(config),
    server: serverControls(config, { ...parts, refusals, faults, jobs }),
  }
  meter.observe({
    ...workerReaders({ ...parts, ...works, refusals }),
    ...deploymentReaders(parts),
  })
  return {
    ports: joinPorts(config, parts, works, duties),
    works,
    takeFault: (operation) => faults.take(operation),
    close: async () => {
      await jobs.close()
      await delivery.close()
      await works.close()
    },
  }
}

/** One is made by the store, and the next is there when it is. */
const changesAtOnceMax = 2

/** The ports of one worker, joined. */
export function joinPorts(
  config: WorkerConfig,
  parts: WorkerParts,
  works: Works,
  duties: WorkerDuties,
): PipelinePorts {
  const { store, keyring, journal, clock, random, log, meter } = parts
  const { regions } = config
  const { lookup, slowLane, outbox, keyUsages } = works
  const grantTokens = createGrantTokens(keyring, lookup)
  const { buckets } = parts.memory
  const drawing = { monotonic: processMilliseconds, regions, memory: buckets }
  const throttle = createThrottle(config.quotas, drawing)
  const callers = createCallers({ keyring, lookup, regions, clock, random })
  const { credentials, signingKeys, sessions, forwardAccess } = callers
  const { server, ...own } = duties
  return {
    ...own,
    regions,
    clock,
    random,
    lookup,
    grantTokens,
    findGrant: (ref) => store.findGrant(ref),
    makeManagedKey: works.makeManagedKey,
    recipientOf: createRecipients({ roots: config.attestationRoots, clock, slowLane }),
    credentials,
    signingKeys,
    callerOf: forwardAccess.callerOf,
    tokenBearer: tokenBearers(config, parts),
    store,
    changesInTurn: createTurns(changesAtOnceMax),
    journal,
    outbox,
    keyUsages,
    refusedUses: works.events.refusedUses,
    refusedCalls: createRefusedCalls({
      buckets: createBuckets(buckets, processMilliseconds),
      perSecond: config.quotas.refusedCalls,
      append: (eventId, record) => journal.append(eventId, record),
      clock,
    }),
    identityUses: createIdentityUses(works.roleUses, works.accessKeyUses),
    throttle,
    operations: {
      ...operationPorts(parts, works),
      regions,
      grantTokens,
      explanations: createExplanations({
        registry,
        lookup,
        store,
        grantTokens,
        now: () => clock.now(),
        secureFrom: securityOf(config),
        idOf: createFindPrincipal(store),
        events: createEventLookup(store),
      }),
      webIdentity: { mayBeIssuer: (url) => mayAsk(new URL(url), config.webIdentityHosts) },
      sessions,
      forwardAccess,
      quotas: quotaPorts(config, throttle),
      trails: parts.trails,
      server,
    },
    meter,
    log,
  }
}

function operationPorts(
  { store, keyring, clock, random }: WorkerParts,
  { lookup, builtin, keyUsages, roleUses, accessKeyUses }: Works,
): Omit<
  OperationPorts,
  | 'regions'
  | 'grantTokens'
  | 'explanations'
  | 'sessions'
  | 'webIdentity'
  | 'forwardAccess'
  | 'quotas'
  | 'trails'
  | 'server'
> {
  const checksBy = (
    reads: Parameters<OperationPorts['principalChecks']>[0],
    known: Lookup,
  ): PrincipalChecks => {
    const findPrincipal = createFindPrincipal(reads)
    const findUserArn = createFindUserArn(reads)
    return {
      policies: createKeyPolicies(findPrincipal, findUserArn, known, clock),
      trustPolicies: createTrustPolicies(findPrincipal, findUserArn),
      principals: { idOf: findPrincipal, ofRoleId: createFindRolePrincipal(reads) },
    }
  }
  return {
    store,
    keyStoreOf: () => builtin,
    clock,
    random,
    pages: createPages(keyring),
    deletionTasks: createDeletionTasks(keyring, random),
    ...checksBy(store, lookup),
    // What is in memory is what was committed, and the store waits for the transaction.
    principalChecks: (reads) => checksBy(reads, { ...lookup, account: readAccounts(reads) }),
    keyUsages,
    roleUses,
    accessKeyUses,
    events: createEventLookup(store),
    figures: store,
    newAccessKey: createAccessKeys(keyring, random),
    fixedAccessKeys: createFixedAccessKeys(keyring),
  }
}

function quotaPorts(
  { quotas }: Pick<Config, 'quotas'>,
  throttle: Throttle,
): OperationPorts['quotas'] {
  const { profile, resources, groups } = quotas
  return {
    profile,
    resources,
    rates: (accountId, region) =>
      groups.map((group) => ({
        group,
        perSecond: quotas.rateOf(group, region),
        available: throttle.available(accountId, region, group),
      })),
  }
}

/** What AWS has: any worker serves it. */
export const awsOperations: PipelinePorts['registry'] = new Map([
  ...registry,
  ...queryRegistry,
  ...trailRegistry,
  ...metricRegistry,
])

function servedOperations({ testApi }: Config): PipelinePorts['registry'] {
  const own = [...operatorOperations, ...serviceOperations, ...(testApi ? testOperations : [])]
  return new Map([
    ...awsOperations,
    ...own.map((operation) => [`trent:${operation.name}`, operation] as const),
  ])
}

/** A call that is not signed names no Region: it is one of the deployment's own. */
function tokenBearers(
  { region, regions, webIdentityHosts }: WorkerConfig,
  { store, clock, log }: WorkerParts,
): PipelinePorts['tokenBearer'] {
  const partition = regions.partitionOf(region) ?? 'aws'
  const issuerKeys = createIssuerKeys({
    fetchDocument: createFetchDocument(webIdentityHosts),
    monotonic: () => performance.now(),
    onError: (error) => log.warn({ err: error }, 'the keys of an identity provider cannot be had'),
  })
  const ports = { store, issuerKeys, systemNow: () => clock.system() }
  return async (given) => {
    const caller = await authenticateWebIdentity(given, partition, ports)
    return [caller, { accountId: caller.accountId, region, partition }]
  }
}

function insiders(config: Config): PipelinePorts['insider'] {
  const { accountId, region } = config
  const partition = config.regions.partitionOf(region) ?? 'aws'
  const place: Place = { accountId, region, partition }
  return (door) => {
    const resource = door === 'operator' ? 'operator/local-socket' : 'test-api'
    const arn = formatArn({ partition, service: 'trent', region: '', accountId, resource })
    const caller: Caller = { kind: door, accountId, arn, uniqueId: resource }
    return [caller, place]
  }
}
