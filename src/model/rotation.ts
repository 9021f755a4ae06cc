/**
 * When a key is rotated by itself.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/rotating-keys-enable-disable.html
 * @module
 */
import { isReplica, type KeyRecord } from './key.ts'

const dayMilliseconds = 86_400_000

export const defaultRotationDays = 365

/** Automatic rotation of a key, while it is on. */
export interface RotationSchedule {
  readonly periodDays: number
  /** Milliseconds since the epoch. */
  readonly nextAt: number
}

/** What a key holds from the moment on that its rotation is turned on, or its period changed. */
export function rotationFrom(
  now: number,
  periodDays: number,
): Required<Pick<KeyRecord, 'rotationPeriodDays' | 'nextRotationAt'>> {
  return {
    rotationPeriodDays: periodDays,
    nextRotationAt: now + periodDays * dayMilliseconds,
  }
}

/** Undefined while automatic rotation is off. That of an AWS managed key is on from its making. */
export function rotationScheduleOf(key: KeyRecord): RotationSchedule | undefined {
  const { rotationPeriodDays, nextRotationAt } =
    key.manager === 'AWS' ? { ...rotationFrom(key.createdAt, defaultRotationDays), ...key } : key
  if (rotationPeriodDays === undefined || nextRotationAt === undefined) return undefined
  return { periodDays: rotationPeriodDays, nextAt: nextRotationAt }
}

/**
 * When the rotation that is due is to be followed by the next: a period after it was due. One that is
 * more than a period late, because its key was disabled or nothing was running, makes up for all that
 * were missed, and the period starts anew.
 */
export function nextRotationAfter({ periodDays, nextAt }: RotationSchedule, now: number): number {
  const onSchedule = nextAt + periodDays * dayMilliseconds
  return onSchedule > now ? onSchedule : now + periodDays * dayMilliseconds
}

/** Whether the key is to be rotated by itself at `now`: a disabled one catches up when it is enabled. */
export function isRotationDue(key: KeyRecord, now: number): boolean {
  const schedule = rotationScheduleOf(key)
  return (
    schedule !== undefined &&
    schedule.nextAt <= now &&
    key.state === 'Enabled' &&
    key.spec === 'SYMMETRIC_DEFAULT' &&
    key.origin === 'AWS_KMS' &&
    // Its material comes from the primary key.
    !isReplica(key)
  )
}
