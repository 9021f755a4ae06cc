/**
 * What works beside the calls of one running server, and has to be closed when it stops.
 * @module
 */
import { createCountRetention, createEventRetention } from './audit/event-retention.ts'
import { createOutbox, type Outbox } from './audit/outbox.ts'
import { compilePolicy } from './authorize/compile.ts'
import type { Config } from './config.ts'
import { openEvents, type Events } from './events/events.ts'
import { openServiceSecret, openSigningSecret } from './crypto/secrets.ts'
import { createSlowLane, type SlowLane } from './crypto/slow-lane.ts'
import type { Jobs } from './jobs/jobs.ts'
import { createBuiltinKeyStore, type BuiltinKeyStore } from './keystores/builtin.ts'
import { createManagedKeys, type MakeManagedKey } from './lifecycle/managed-keys.ts'
import { createServiceChanges } from './lifecycle/service-changes.ts'
import { createKeyJobs } from './lifecycle/key-jobs.ts'
import { createAccessKeyUses, type OpenAccessKeyUses } from './lifecycle/last-access-key-use.ts'
import { createRoleUses, type OpenRoleUses } from './lifecycle/last-role-use.ts'
import { createKeyUsages, type OpenKeyUsages } from './lifecycle/last-usage.ts'
import { loadAccount } from './resolve/known-accounts.ts'
import { loadGroup, loadManagedPolicy, loadRole, loadUser } from './resolve/known-identities.ts'
import { createLookup, type Lookup } from './resolve/lookup.ts'
import { measuredKeyStore } from './metrics/measured.ts'

import type { ServerParts } from './ports.ts'

/** Each takes some 10 ms to prove. */
const attestationsMax = 64

/** What works beside the calls, and has to be closed. */
export interface Works {
  readonly lookup: Lookup
  readonly builtin: BuiltinKeyStore
  readonly slowLane: SlowLane
  readonly outbox: Outbox
  readonly keyUsages: OpenKeyUsages
  readonly roleUses: OpenRoleUses
  readonly accessKeyUses: OpenAccessKeyUses
  readonly makeManagedKey: MakeManagedKey
  readonly events: Events
  readonly jobs: Jobs
  readonly close: () => Promise<void>
}

export function openWorks(config: Config, parts: ServerParts): Works {
  const { regions, eventsWebhook, dataDirectory } = config
  const { store, keyring, journal, clock, random, log } = parts
  const lookup = lookupOf(parts, (materialId) => builtin.forget(materialId))
  const unmeasured = createBuiltinKeyStore({
    keyring,
    clock,
    random,
    findMaterial: async (materialId) => lookup.material(materialId),
    onForgedMaterial: (materialId) => {
      parts.meter.forged('material')
      log.error({ materialId }, 'a key material fails to open')
    },
  })
  const builtin: BuiltinKeyStore = {
    ...measuredKeyStore(unmeasured, parts.meter.worked),
    forget: (materialId) => unmeasured.forget(materialId),
    close: () => unmeasured.close(),
  }
  // A lane of their own: attested callers do not wait for primes. Its thread starts with the first.
  const slowLane = createSlowLane({ queueMax: attestationsMax })
  const outbox = createOutbox({
    store,
    journal,
    onError: (error) => {
      parts.meter.journalFailed()
      log.error({ err: error }, 'the outbox waits for the journal')
    },
  })
  const uses = openUses(parts)
  const keyStoreOf = (): BuiltinKeyStore => builtin
  const events = openEvents({
    webhook: eventsWebhook,
    dataDirectory,
    store,
    clock,
    random,
    onOutcome: parts.meter.told,
    log,
  })
  const changing = { store, journal, outbox, regions, events, clock, random }
  const changes = createServiceChanges(changing)
  const jobs = createKeyJobs({ ...changing, keyStoreOf, log }, [
    createEventRetention(store),
    createCountRetention(store),
  ])
  return {
    lookup,
    builtin,
    slowLane,
    outbox,
    ...uses,
    makeManagedKey: createManagedKeys({ changes, keyStoreOf, clock, random }),
    events,
    jobs,
    close: async () => {
      await jobs.close()
      await events.close()
      await parts.delivery.close()
      await uses.keyUsages.close()
      await uses.accessKeyUses.close()
      await uses.roleUses.close()
      await outbox.close()
      await parts.anchors.close()
      await builtin.close()
      await slowLane.close()
    },
  }
}

/** What is noted of the uses of keys, roles and access keys. */
function openUses({
  store,
  usageTrackedSince: since,
  log,
}: ServerParts): Pick<Works, 'keyUsages' | 'roleUses' | 'accessKeyUses'> {
  const onError = (error: Error): void => log.error({ err: error }, error.message)
  return {
    keyUsages: createKeyUsages({ store, since, onError }),
    accessKeyUses: createAccessKeyUses({ store, onError }),
    roleUses: createRoleUses({ store, onError }),
  }
}

function lookupOf(
  { store, keyring }: ServerParts,
  onForgottenMaterial: (materialId?: string) => void,
): Lookup {
  return createLookup({
    store,
    openSecret: (accessKey) => openSigningSecret(keyring, accessKey),
    openServiceSecret: (service) => openServiceSecret(keyring, service),
    compile: (policy) => compilePolicy(policy, 'key'),
    findAccount: (accountId) => loadAccount(accountId, store),
    findUser: (userId) => loadUser(userId, store),
    findRole: (roleId) => loadRole(roleId, store),
    findGroup: (groupId) => loadGroup(groupId, store),
    findManagedPolicy: (policyId) => loadManagedPolicy(policyId, store),
    onForgottenMaterial,
  })
}
