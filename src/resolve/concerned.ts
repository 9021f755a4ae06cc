/** What a call is about, as its audit record names it. @module */
import { aliasArn, keyArn } from '../model/key.ts'
import type { Resolved } from './resolve.ts'

type Resources = readonly { readonly arn: string; readonly accountId: string }[]

/** The keys that exist and the alias, and the keys' ARNs by the names of their uses. */
export function concernedResources(
  resolved: Resolved,
  partition: string,
): { resources: Resources; keyArns: Readonly<Record<string, string>> } {
  const { alias } = resolved
  const resources = alias ? [{ arn: aliasArn(partition, alias), accountId: alias.accountId }] : []
  const keyArns: Record<string, string> = {}
  for (const [name, { known }] of resolved.keys) {
    if (known === undefined) continue
    const arn = keyArn(partition, known.record)
    keyArns[name] = arn
    resources.push({ arn, accountId: known.record.accountId })
  }
  return { resources, keyArns }
}
