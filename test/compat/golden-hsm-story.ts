/** The life of a key store in an HSM cluster and of a key in it, by a user named Alice, and their records. @module */
import {
  DeleteCustomKeyStoreCommand,
  DescribeCustomKeyStoresCommand,
  ScheduleKeyDeletionCommand,
  UpdateCustomKeyStoreCommand,
} from '@aws-sdk/client-kms'
import { clusterId } from '../operations/kms/cluster-stores.ts'
import { softHsm } from '../pkcs11/soft-hsm.ts'
import { temporaryFolder } from '../store/engines.ts'
import { hsmSettings, makeClusterStore, makeHsmKey, tokenLabel } from './cluster-store.ts'
import { connect, disconnect } from './external-store.ts'
import { firstRecords } from './golden-story.ts'
import { openIdentities } from './identities.ts'
import type { AuditRecord } from './records.ts'
import { advance } from './test-clock.ts'

/** What the names of these records end with. */
export const inHsm = ' (in an HSM cluster)'

export async function goldenHsmRecords(t: {
  after(end: () => void | Promise<void>): void
}): Promise<ReadonlyMap<string, AuditRecord>> {
  const hsm = softHsm(t)
  hsm.makeToken(tokenLabel)
  const { server, newUser } = await openIdentities(t, hsmSettings(hsm, temporaryFolder(t)))
  const { kms } = await newUser('Alice', { Action: ['kms:*', 'cloudhsm:*', 'iam:*'] })
  const world = { server, kms }
  const CustomKeyStoreId = await makeClusterStore(kms)
  await kms.send(new DescribeCustomKeyStoresCommand({ CustomKeyStoreId }))
  await connect(world, CustomKeyStoreId)
  const KeyId = await makeHsmKey(kms, CustomKeyStoreId)
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 30 }))
  await advance(server.url, '31d')
  await disconnect(world, CustomKeyStoreId)
  await kms.send(
    new UpdateCustomKeyStoreCommand({ CustomKeyStoreId, CloudHsmClusterId: clusterId }),
  )
  await kms.send(new DeleteCustomKeyStoreCommand({ CustomKeyStoreId }))
  const records = await firstRecords(server)
  return new Map([...records].map(([name, record]) => [`${name}${inHsm}`, record]))
}
