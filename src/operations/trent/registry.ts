/** Trent's own operations. Those of the test API are served only if it is on. @module */
import { registryOf } from '../contract/registry.ts'
import { acceptClock } from './accept-clock.ts'
import { apply } from './apply.ts'
import { beginBackup } from './begin-backup.ts'
import { beginRekey } from './begin-rekey.ts'
import { cancelRekey } from './cancel-rekey.ts'
import { continueRekey } from './continue-rekey.ts'
import { createAccount } from './create-account.ts'
import { createXksProxy } from './create-xks-proxy.ts'
import { createForwardAccessSession } from './create-forward-access-session.ts'
import { createInfrastructureSession } from './create-infrastructure-session.ts'
import { deregisterService } from './deregister-service.ts'
import { drainNode } from './drain-node.ts'
import { exportXksKey } from './export-xks-key.ts'
import { explainOwnCall } from './explain-own-call.ts'
import { listOwnAccess } from './list-own-access.ts'
import { explainAccess } from './explain-access.ts'
import { getDeployment } from './get-deployment.ts'
import { getOwnQuotas } from './get-own-quotas.ts'
import { getQuotas } from './get-quotas.ts'
import { getStatus } from './get-status.ts'
import { getTestClock } from './get-test-clock.ts'
import { getTestFaults } from './get-test-faults.ts'
import { listAccess } from './list-access.ts'
import { listAccounts } from './list-accounts.ts'
import { listPublicKeys } from './list-public-keys.ts'
import { listKeyUses } from './list-key-uses.ts'
import { listNodes } from './list-nodes.ts'
import { listXksProxies } from './list-xks-proxies.ts'
import { readBackup } from './read-backup.ts'
import { resetRoot } from './reset-root.ts'
import { listServices } from './list-services.ts'
import { registerService } from './register-service.ts'
import { revokeSessions } from './revoke-sessions.ts'
import { listUsage } from './list-usage.ts'
import { resetTestData } from './reset-test-data.ts'
import { retireNode } from './retire-node.ts'
import { retireRootKeys } from './retire-root-keys.ts'
import { revokeXksProxy } from './revoke-xks-proxy.ts'
import { rotateXksProxyCredential } from './rotate-xks-proxy-credential.ts'
import { sealServer } from './seal-server.ts'
import { setTestClock } from './set-test-clock.ts'
import { setTestFaults } from './set-test-faults.ts'
import { unlockKey } from './unlock-key.ts'
import { updateAccount } from './update-account.ts'

export const operatorRegistry = registryOf([
  acceptClock,
  apply,
  beginBackup,
  beginRekey,
  cancelRekey,
  continueRekey,
  createAccount,
  createXksProxy,
  deregisterService,
  drainNode,
  explainAccess,
  exportXksKey,
  getQuotas,
  getStatus,
  listAccess,
  listAccounts,
  listKeyUses,
  listPublicKeys,
  listNodes,
  listUsage,
  listXksProxies,
  readBackup,
  resetRoot,
  listServices,
  registerService,
  revokeSessions,
  retireNode,
  revokeXksProxy,
  rotateXksProxyCredential,
  retireRootKeys,
  sealServer,
  unlockKey,
  updateAccount,
])

export const testRegistry = registryOf([
  getTestClock,
  setTestClock,
  getTestFaults,
  setTestFaults,
  resetTestData,
])

/** Operations that registered services call with their own credentials. */
export const serviceRegistry = registryOf([createForwardAccessSession, createInfrastructureSession])

/** Operations that users call with their own credentials, on paths of Trent's own. */
export const ownRegistry = registryOf([explainOwnCall, getDeployment, getOwnQuotas, listOwnAccess])
