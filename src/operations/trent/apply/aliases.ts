/** Applies the aliases of a document. @module */
import { aliasArn, type KeyRecord } from '../../../model/key.ts'
import { checkAliasName, requireAliasQuota } from '../../kms/alias-name.ts'
import { requireUnderQuota } from '../../kms/resource-quota.ts'
import { requireSameKind } from '../../kms/update-alias.ts'
import type { Applying } from './applying.ts'
import { type DocumentPath, placed } from './document-path.ts'

export async function applyAliases(
  { transaction, dependencies, partition, now, note }: Applying,
  key: KeyRecord,
  names: readonly string[],
  place: DocumentPath,
): Promise<void> {
  const { accountId, region, keyId } = key
  const { resources } = dependencies.quotas
  for (const [index, name] of names.entries()) {
    const at = [...place, index]
    const ref = { accountId, region, name }
    await placed(at, () => checkAliasName(name))
    const present = await transaction.findAlias(ref)
    if (present?.targetKeyId === keyId) continue
    await placed(at, () => requireAliasQuota(transaction, key, resources))
    if (present === undefined) {
      const count = (): Promise<number> => transaction.countAllAliases(accountId, region)
      const quota = 'Aliases quota for this account in this region'
      await placed(at, () => requireUnderQuota(resources.aliases, count, quota))
      const times = { createdAt: now, updatedAt: now }
      await transaction.insertAlias({ ...ref, targetKeyId: keyId, ...times })
      note({ change: 'create', type: 'alias', name: aliasArn(partition, ref) })
      continue
    }
    const current = await transaction.findKey({ accountId, region, keyId: present.targetKeyId })
    if (current !== undefined) await placed(at, () => requireSameKind(name, current, key))
    await transaction.updateAlias(present, { targetKeyId: keyId, updatedAt: now })
    const members = ['targetKeyId']
    note({ change: 'update', type: 'alias', name: aliasArn(partition, ref), members })
  }
}
