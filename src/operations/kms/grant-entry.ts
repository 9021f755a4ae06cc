/** Grants in the form in which lists return them. @module */
import type { GrantListEntry } from '@aws-sdk/client-kms'
import { formatArn } from '../../model/arn.ts'
import type { GrantRecord } from '../../model/grant.ts'
import type { KeyRef } from '../../model/key.ts'
import type { Principals } from '../contract/dependencies.ts'

/** A principal that was deleted, even if another now has its name, appears as its unique id. */
export async function grantEntries(
  grants: readonly GrantRecord[],
  { partition, arn }: { readonly partition: string; readonly arn: (key: KeyRef) => string },
  principals: Principals,
): Promise<GrantListEntry[]> {
  const present = new Map<string, string | undefined>()
  const shown = async (principal: string, id: string | undefined): Promise<string> => {
    if (!present.has(principal)) present.set(principal, await principals.idOf(principal))
    return id === undefined || present.get(principal) === id ? principal : id
  }
  const entries: GrantListEntry[] = []
  for (const grant of grants) {
    const { granteePrincipal, granteeServicePrincipal } = grant
    const { retiringPrincipal, retiringServicePrincipal } = grant
    const accountId = grant.issuingAccountId
    entries.push({
      KeyId: arn(grant),
      GrantId: grant.grantId,
      Name: grant.name ?? '',
      // Whole seconds, as AWS returns it.
      CreationDate: new Date(Math.floor(grant.createdAt / 1000) * 1000),
      ...(granteePrincipal !== undefined && {
        GranteePrincipal: await shown(granteePrincipal, grant.granteeId),
      }),
      ...(granteeServicePrincipal && { GranteeServicePrincipal: granteeServicePrincipal }),
      ...(retiringPrincipal !== undefined && {
        RetiringPrincipal: await shown(retiringPrincipal, grant.retiringId),
      }),
      ...(retiringServicePrincipal && { RetiringServicePrincipal: retiringServicePrincipal }),
      IssuingAccount: formatArn({
        partition,
        service: 'iam',
        region: '',
        accountId,
        resource: 'root',
      }),
      Operations: [...grant.operations],
      ...(grant.constraints && { Constraints: grant.constraints }),
    })
  }
  return entries
}
