/** Checks a resource quota before something is created, with AWS's message. @module */
import { KmsError } from '../../errors.ts'

/**
 * @param quota the beginning of AWS's message, up to `is`
 * @throws {KmsError} `LimitExceededException` when the quota is used up
 */
export async function requireUnderQuota(
  max: number,
  count: () => Promise<number>,
  quota: string,
): Promise<void> {
  // Unlimited resources are not counted, because the time of a count grows with the rows.
  if (max === Infinity) return
  const usage = await count()
  if (usage < max) return
  throw new KmsError('LimitExceededException', `${quota} is ${max}, current usage is ${usage}.`)
}
