/** Applies the access keys of a document, which have a fixed id and secret. @module */
import type { AccessKeyRecord } from '../../../model/access-key.ts'
import { DuplicateRow } from '../../../store/store.ts'
import { accessKeysMax } from '../../iam/create-access-key.ts'
import type { Applying } from './applying.ts'
import type { AccessKeyEntry } from './document.ts'
import { type DocumentPath, refusalAt } from './document-path.ts'

type Owner = Pick<AccessKeyRecord, 'accountId' | 'principalKind' | 'principalId'>

/** An existing access key keeps its secret and status. A different secret is an error. */
export async function applyAccessKeys(
  applying: Applying,
  owner: Owner,
  entries: readonly AccessKeyEntry[],
  place: DocumentPath,
): Promise<void> {
  const { transaction, dependencies, now, note } = applying
  for (const [index, entry] of entries.entries()) {
    const at = [...place, index]
    const { accessKeyId } = entry
    const present = await transaction.findAccessKey(accessKeyId)
    if (present !== undefined) {
      requireSame(applying, owner, present, entry, at)
      continue
    }
    const all = await transaction.listAccessKeysOf(owner.principalId)
    if (all.length >= accessKeysMax) {
      const message = `there would be more than ${accessKeysMax} access keys`
      throw refusalAt(at, message, 'LimitExceededException')
    }
    const record = dependencies.fixedAccessKeys.make(
      { ...owner, accessKeyId },
      entry.secretAccessKey,
    )
    try {
      await transaction.insertAccessKey({ ...record, status: 'Active', createdAt: now })
    } catch (error) {
      if (!(error instanceof DuplicateRow)) throw error
      throw refusalAt([...at, 'accessKeyId'], `\`${accessKeyId}\` is already used`)
    }
    note({ change: 'create', type: 'access key', name: accessKeyId })
  }
}

function requireSame(
  { dependencies }: Applying,
  owner: Owner,
  present: AccessKeyRecord,
  { accessKeyId, secretAccessKey }: AccessKeyEntry,
  place: DocumentPath,
): void {
  const { principalId, accountId } = present
  if (principalId !== owner.principalId || accountId !== owner.accountId) {
    throw refusalAt([...place, 'accessKeyId'], `\`${accessKeyId}\` belongs to another principal`)
  }
  if (dependencies.fixedAccessKeys.isSecretOf(present, secretAccessKey)) return
  throw refusalAt(
    [...place, 'secretAccessKey'],
    `\`${accessKeyId}\` has another secret: delete that access key first`,
  )
}
