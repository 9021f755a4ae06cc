/**
 * Dependencies of the pipeline and the operations, for one running server.
 * @module
 */
import { createRefusals } from '../authenticate/refusals.ts'
import { createFetchDocument, mayAsk } from '../authenticate/issuer-documents.ts'
import { createIssuerKeys } from '../authenticate/issuer-keys.ts'
import { createEventLookup } from '../audit/index/event-lookup.ts'
import { createRefusedCalls } from '../audit/records/refused-calls.ts'
import { authenticateWebIdentity } from '../authenticate/web-identity.ts'
import type { Config } from '../config.ts'
import { createAccessKeys, createFixedAccessKeys } from '../crypto/new-access-key.ts'
import { makeProxyCredential } from '../crypto/proxy-credential.ts'
import { createIdentityUses } from '../lifecycle/identity-uses.ts'
import { deploymentReaders, workerReaders } from '../metrics/readers.ts'
import type { Caller } from '../model/caller.ts'
import { silentMsMax } from '../model/node.ts'
import { formatArn } from '../model/arn.ts'
import { kmsRegistry } from '../operations/kms/registry.ts'
import { serverRegistry } from '../operations/registry.ts'
import { createCallers } from '../authenticate/callers.ts'
import { createExplanations } from '../explain/explain-access.ts'
import { createKeyPolicies } from '../authorize/key-policies.ts'
import type { RequestScope } from '../model/identifiers.ts'
import { readAccounts } from '../cache/cached-accounts.ts'
import { createGrantTokens } from '../resolve/grant-tokens.ts'
import { createDeletionTasks } from '../operations/deletion-tasks.ts'
import { createPages } from '../operations/page-markers.ts'
import {
  createFindPrincipal,
  createFindRolePrincipal,
  createFindUserArn,
} from '../authorize/principals.ts'
import { createTrustPolicies } from '../authorize/trust-policies.ts'
import { operatorOf } from '../operator/operators.ts'
import { createRecipients } from '../resolve/recipient.ts'
import { createAnswerLog } from '../pipeline/answer-log.ts'
import { createTurns } from '../pipeline/turns.ts'
import { createBuckets, processMilliseconds } from '../throttle/buckets.ts'
import { createFaults, type Faults } from '../throttle/faults.ts'
import { createThrottle, type Throttle } from '../throttle/throttle.ts'
import { serverControls } from './controls.ts'
import { deliverRest } from './nodes.ts'
import { openJobs, openBackground, type Background } from './background.ts'
import { securityOf } from '../wire/proxies.ts'
import type { WorkerConfig } from './workers/worker-config.ts'
import type { OperationDependencies, PrincipalChecks } from '../operations/contract/dependencies.ts'
import type { Lookup } from '../cache/cached-records.ts'
import type { WorkerParts, ServerParts, RoleDependencies } from './parts.ts'
import type { PipelineDependencies } from '../pipeline/dependencies.ts'

export interface OpenDependencies {
  readonly dependencies: PipelineDependencies
  readonly background: Background
  readonly close: () => Promise<void>
}

export interface OpenServerDependencies extends OpenDependencies {
  readonly takeFault: Faults['take']
}

/** Dependencies of worker 0, which also runs the scheduled jobs. */
export function openDependencies(config: Config, parts: ServerParts): OpenServerDependencies {
  const { delivery, clock, log, meter } = parts
  const background = openBackground(config, parts)
  const jobs = openJobs(parts, background)
  const refusals = createRefusals(log, clock)
  const faults = createFaults(parts.memory.faults)
  const byRole = {
    registry: serverRegistry(config),
    refusals,
    faults,
    inTurn: createTurns(),
    internalCaller: internalCallers(config),
    server: serverControls(config, { ...parts, refusals, faults, jobs }),
  }
  meter.observe({
    ...workerReaders({ ...parts, ...background, refusals }),
    ...deploymentReaders(parts),
  })
  return {
    dependencies: joinDependencies(config, parts, background, byRole),
    background,
    takeFault: (operation) => faults.take(operation),
    close: async () => {
      await jobs.close()
      // What it appends last is delivered too.
      await background.close()
      await deliverRest(parts.draining, delivery)
      await delivery.close()
    },
  }
}

/** One is made by the store. Those that wait there commit together with it. */
const changesAtOnceMax = 16

function throttleParts(
  { clock, memory }: WorkerParts,
  regions: WorkerConfig['regions'],
): Parameters<typeof createThrottle>[1] {
  const system = (): number => clock.system()
  return { monotonic: processMilliseconds, system, regions, memory: memory.buckets }
}

/** Dependencies of the pipeline in one worker. */
export function joinDependencies(
  config: WorkerConfig,
  parts: WorkerParts,
  background: Background,
  byRole: RoleDependencies,
): PipelineDependencies {
  const { store, keyring, journal, clock, random, log, meter } = parts
  const { regions } = config
  const { lookup, slowLane, outbox, keyUsages } = background
  const grantTokens = createGrantTokens(keyring, lookup)
  const throttle = createThrottle(config.quotas, throttleParts(parts, regions))
  const callers = createCallers({ ...parts, lookup, regions })
  const { credentials, signingKeys, sessions, forwardAccess } = callers
  const { server, ...own } = byRole
  return {
    ...own,
    regions,
    clock,
    random,
    lookup,
    grantTokens,
    findGrant: (ref) => store.findGrant(ref),
    makeManagedKey: background.makeManagedKey,
    keyStoreOf: background.keyStores.keyStoreOf,
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
    keyStoreFigures: background.keyStoreFigures,
    refusedUses: background.events.refusedUses,
    refusedCalls: refusedCallsOf(config, parts),
    identityUses: createIdentityUses(background.roleUses, background.accessKeyUses),
    throttle,
    operations: {
      ...operationDependencies(parts, background),
      regions,
      grantTokens,
      explanations: createExplanations({
        registry: kmsRegistry,
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
      quotas: quotaDependencies(config, throttle),
      trails: parts.trails,
      server,
    },
    meter,
    log,
    ...(parts.logRequests && { logAnswer: createAnswerLog(log) }),
  }
}

function refusedCallsOf(
  { quotas, workers }: WorkerConfig,
  { memory, journal, clock }: WorkerParts,
): PipelineDependencies['refusedCalls'] {
  return createRefusedCalls({
    buckets: createBuckets(memory.buckets, processMilliseconds),
    perSecond: quotas.refusedCalls,
    workers,
    append: (eventId, record) => journal.append(eventId, record),
    clock,
  })
}

function operationDependencies(
  { store, keyring, clock, random }: WorkerParts,
  { lookup, keyStores, keyUsages, roleUses, accessKeyUses }: Background,
): Omit<
  OperationDependencies,
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
    reads: Parameters<OperationDependencies['principalChecks']>[0],
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
    externalKeyStores: keyStores.externalKeyStores,
    keyStoreSecrets: keyStores.keyStoreSecrets,
    proxyMessages: keyStores.proxyMessages,
    fleet: fleetOf(store, clock),
    newProxyCredential: (of) => makeProxyCredential(keyring, random, of),
    hsmClusters: keyStores.hsmClusters,
    hsmKeyStores: keyStores.hsmKeyStores,
    clock,
    random,
    pages: createPages(keyring),
    deletionTasks: createDeletionTasks(keyring, random),
    ...checksBy(store, lookup),
    // Caches hold only what is committed, and the store waits for the transaction. So it reads by itself.
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

/** An embedded database has one node without a row. */
function fleetOf(
  store: Pick<WorkerParts['store'], 'listNodes'>,
  clock: Pick<WorkerParts['clock'], 'system'>,
): OperationDependencies['fleet'] {
  return async () => {
    const nodes = (await store.listNodes()).filter(({ state }) => state === 'serving')
    if (nodes.length === 0) return [{ id: 'trent', health: 'ACTIVE' }]
    const silent = clock.system() - silentMsMax
    return nodes.map(({ nodeId, confirmedAt, clockOffset }) => ({
      id: nodeId,
      health: confirmedAt - clockOffset < silent ? 'UNAVAILABLE' : 'ACTIVE',
    }))
  }
}

function quotaDependencies(
  { quotas }: Pick<Config, 'quotas'>,
  throttle: Throttle,
): OperationDependencies['quotas'] {
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

/** An unsigned call names no Region, so it is made in the deployment's own. */
function tokenBearers(
  { region, regions, webIdentityHosts }: WorkerConfig,
  { store, clock, log }: WorkerParts,
): PipelineDependencies['tokenBearer'] {
  const partition = regions.partitionOf(region) ?? 'aws'
  const issuerKeys = createIssuerKeys({
    fetchDocument: createFetchDocument(webIdentityHosts),
    monotonic: () => performance.now(),
    onError: (error) =>
      log.warn({ err: error }, 'the keys of an identity provider could not be fetched'),
  })
  const dependencies = { store, issuerKeys, systemNow: () => clock.system() }
  return async (given) => {
    const caller = await authenticateWebIdentity(given, partition, dependencies)
    return [caller, { accountId: caller.accountId, region, partition }]
  }
}

function internalCallers(config: Config): PipelineDependencies['internalCaller'] {
  const { accountId, region } = config
  const partition = config.regions.partitionOf(region) ?? 'aws'
  const scope: RequestScope = { accountId, region, partition }
  const arnOf = (resource: string): string =>
    formatArn({ partition, service: 'trent', region: '', accountId, resource })
  const testCaller: Caller = {
    kind: 'test',
    accountId,
    arn: arnOf('test-api'),
    uniqueId: 'test-api',
  }
  const callerOf = (uniqueId: string, resource = uniqueId): Caller => {
    return { kind: 'operator', accountId, arn: arnOf(resource), uniqueId }
  }
  return (door, request) => {
    if (door === 'test') return [testCaller, scope]
    const operator = operatorOf(request)
    if (operator === undefined) return [callerOf('unknown-operator'), scope]
    const { id, name: userName, loginName } = operator
    // The server itself, at its start, is no user.
    if (!id.startsWith('operator/')) return [callerOf(id), scope]
    const caller = { ...callerOf(id, `operator/${userName}`), userName }
    return [loginName === undefined ? caller : { ...caller, loginName }, scope]
  }
}
