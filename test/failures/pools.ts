/** Things that callers use for a while, and then replace. @module */
import type { Caller } from './caller.ts'
import type { Pool } from './memory.ts'

const liveMax = 3

/**
 * One of the pool. A new one is made if there are few, and one that was used often is used no more, so that no history
 * becomes long.
 * @param make gives undefined if a call was not answered
 */
export async function oneOf<T extends { uses: number }>(
  caller: Caller,
  { live, all }: Pool<T>,
  usesMax: number,
  make: () => Promise<T | undefined>,
): Promise<T | undefined> {
  if (live.size < liveMax) {
    const made = await make()
    if (made === undefined) return undefined
    live.add(made)
    all.push(made)
  }
  const found = caller.random.oneOf([...live])
  if (found === undefined) return undefined
  found.uses += 1
  if (found.uses > usesMax) live.delete(found)
  return found
}

/** Does one of several things. @param weighed how often each comes */
export async function oneAct<T>(
  caller: Caller,
  weighed: readonly (readonly [number, (caller: Caller, of: T) => Promise<unknown>])[],
  of: T,
): Promise<void> {
  let left = caller.random.below(weighed.reduce((all, [weight]) => all + weight, 0))
  for (const [weight, act] of weighed) {
    left -= weight
    if (left >= 0) continue
    await act(caller, of)
    return
  }
}
