/**
 * The schedule of automatic key rotation.
 * @see https://docs.aws.amazon.com/kms/latest/developerguide/rotating-keys-enable-disable.html
 * @module
 */
import { isReplica, type KeyRecord } from './key.ts'

const dayMilliseconds = 86_400_000

export const defaultRotationDays = 365

/** The automatic rotation of a key, while it is on. */
export interface RotationSchedule {
  readonly periodDays: number
  /** Milliseconds since the epoch. */
  readonly nextAt: number
}

/** The key's rotation members after rotation is turned on or its period changes. */
export function rotationFrom(
  now: number,
  periodDays: number,
): Required<Pick<KeyRecord, 'rotationPeriodDays' | 'nextRotationAt'>> {
  return {
    rotationPeriodDays: periodDays,
    nextRotationAt: now + periodDays * dayMilliseconds,
  }
}

/** Undefined while automatic rotation is off. It is always on for AWS managed keys. */
export function rotationScheduleOf(key: KeyRecord): RotationSchedule | undefined {
  const { rotationPeriodDays, nextRotationAt } =
    key.manager === 'AWS' ? { ...rotationFrom(key.createdAt, defaultRotationDays), ...key } : key
  if (rotationPeriodDays === undefined || nextRotationAt === undefined) return undefined
  return { periodDays: rotationPeriodDays, nextAt: nextRotationAt }
}

/**
 * The time of the rotation after the one that is due: one period after the due time. A rotation
 * more than one period late, because the key was disabled or the server was down, makes up for all
 * missed ones, and a new period begins now.
 */
export function nextRotationAfter({ periodDays, nextAt }: RotationSchedule, now: number): number {
  const onSchedule = nextAt + periodDays * dayMilliseconds
  return onSchedule > now ? onSchedule : now + periodDays * dayMilliseconds
}

/** Whether automatic rotation is due at `now`. A disabled key catches up when it is enabled. */
export function isRotationDue(key: KeyRecord, now: number): boolean {
  const schedule = rotationScheduleOf(key)
  return (
    schedule !== undefined &&
    schedule.nextAt <= now &&
    key.state === 'Enabled' &&
    key.spec === 'SYMMETRIC_DEFAULT' &&
    key.origin === 'AWS_KMS' &&
    // A replica gets its material from the primary key.
    !isReplica(key)
  )
}
