/** Looks up the aliases of keys, for policies that use `kms:ResourceAliases`. @module */
import type { Awaitable } from '../model/awaitable.ts'
import type { Identity, Lookup } from '../cache/cached-records.ts'
import type { ResolvedKeys, ResolvedKey } from '../resolve/resolved.ts'

/** Adds the alias names to those keys for which a policy asks. */
export function withAliasNames(
  keys: ResolvedKeys['keys'],
  { policies, boundary, session = [] }: Identity,
  lookup: Pick<Lookup, 'aliasNames'>,
): Awaitable<ResolvedKeys['keys']> {
  const asked = [...policies, ...session, ...(boundary ? [boundary] : [])].some(
    ({ asksAliases }) => asksAliases,
  )
  const asks = ({ known }: ResolvedKey): boolean => asked || known?.policy.asksAliases === true
  // Almost no policy asks, and then there is nothing to wait for.
  return [...keys.values()].some(asks) ? look(keys, asks, lookup) : keys
}

async function look(
  keys: ResolvedKeys['keys'],
  asks: (key: ResolvedKey) => boolean,
  lookup: Pick<Lookup, 'aliasNames'>,
): Promise<ResolvedKeys['keys']> {
  const named = new Map<string, ResolvedKey>()
  for (const [name, key] of keys) {
    const { known } = key
    const aliasNames = known && asks(key) ? await lookup.aliasNames(known.record) : undefined
    named.set(name, aliasNames === undefined ? key : { ...key, aliasNames })
  }
  return named
}
