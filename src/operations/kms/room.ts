/** Whether there may be one more of something, in AWS's words. @module */
import { KmsError } from '../../errors.ts'

/**
 * @param quota what AWS calls it, up to its `is`
 * @throws {KmsError} `LimitExceededException` when one more would be one too many
 */
export async function requireRoom(
  max: number,
  count: () => Promise<number>,
  quota: string,
): Promise<void> {
  // What is not limited is not counted: a count takes as long as there are rows.
  if (max === Infinity) return
  const usage = await count()
  if (usage < max) return
  throw new KmsError('LimitExceededException', `${quota} is ${max}, current usage is ${usage}.`)
}
