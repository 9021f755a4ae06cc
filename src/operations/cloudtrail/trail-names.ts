/** Trail names and ARNs: checks, lookup and permissions. @module */
import { KmsError } from '../../errors.ts'
import { readTrailArn, type TrailRecord, type TrailRef } from '../../model/trail.ts'
import { text } from '../../model/shape.ts'
import type { StoreReads } from '../../store/store.ts'
import type { Permission } from '../contract/operation.ts'
import type { Call } from '../contract/call.ts'
import type { OperationDependencies } from '../contract/dependencies.ts'

/** A name or an ARN. `checkTrailName` checks the form, with CloudTrail's messages. */
export const trailName = text({ max: 512 })

const nameMin = 3
const nameMax = 128

/** @throws {KmsError} `InvalidTrailNameException`, `CloudTrailARNInvalidException` */
export function checkTrailName(name: string): void {
  if (name.startsWith('arn:')) {
    if (readTrailArn(name) !== undefined) return
    throw new KmsError('CloudTrailARNInvalidException', `${name} is not a trail's ARN.`)
  }
  checkNewName(name)
}

/** @throws {KmsError} `InvalidTrailNameException` */
export function checkNewName(name: string): void {
  const why = nameProblem(name)
  if (why !== undefined) throw new KmsError('InvalidTrailNameException', why)
}

function nameProblem(name: string): string | undefined {
  const length = `Specified name length: ${name.length} characters.`
  if (name.trim() === '') return 'Trail name cannot be blank!'
  if (name.length < nameMin) {
    return `Trail name too short. Minimum allowed length: ${nameMin} characters. ${length}`
  }
  if (name.length > nameMax) {
    return `Trail name too long. Maximum allowed length: ${nameMax} characters. ${length}`
  }
  if (!/^[A-Za-z0-9]/.test(name)) return 'Trail name must start with a letter or number.'
  if (!/[A-Za-z0-9]$/.test(name)) return 'Trail name must end with a letter or number.'
  if (!/^[\w.-]+$/.test(name)) {
    return (
      'Trail name or ARN can contain uppercase letters, lowercase letters, numbers, periods (.), ' +
      'hyphens (-), and underscores (_).'
    )
  }
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(name)) {
    return 'Trail name must not be formatted as an IP address.'
  }
  return /[._-]{2}/.test(name)
    ? 'Trail name must not have two adjacent periods, hyphens or underscores.'
    : undefined
}

/** The permission for an action on the named trail. */
export function onTrail(action: string, name: string): Permission {
  return name.startsWith('arn:')
    ? { action, arn: name }
    : { action, trailResource: `trail/${name}` }
}

type Naming = Pick<Call<unknown, never>, 'caller' | 'region'>

function refOf(name: string, { caller: { accountId }, region }: Naming): TrailRef | undefined {
  if (!name.startsWith('arn:')) return { accountId, homeRegion: region, name }
  const ref = readTrailArn(name)
  // A trail of another account is not found, so its existence is not revealed.
  return ref?.accountId === accountId ? ref : undefined
}

/** @throws {KmsError} `TrailNotFoundException` */
export async function findTrail(
  name: string,
  naming: Naming,
  store: Pick<StoreReads, 'findTrail'>,
  trails: Pick<OperationDependencies['trails'], 'operatorTrail'>,
): Promise<TrailRecord> {
  const ref = refOf(name, naming)
  const trail = ref && ((await store.findTrail(ref)) ?? operatorTrail(ref, trails))
  // A single-Region trail is not visible in other Regions.
  if (trail && (trail.homeRegion === naming.region || trail.multiRegion)) return trail
  throw trailNotFound(name, naming)
}

function operatorTrail(
  ref: TrailRef,
  trails: Pick<OperationDependencies['trails'], 'operatorTrail'>,
): TrailRecord | undefined {
  const trail = trails.operatorTrail(ref.accountId)
  return trail?.name === ref.name && trail.homeRegion === ref.homeRegion ? trail : undefined
}

/**
 * Reads a trail in the transaction that changes it.
 * @throws {KmsError} `TrailNotFoundException`, `InvalidHomeRegionException`,
 * `OperationNotPermittedException` for the operator's trail
 */
export async function trailToChange(
  name: string,
  naming: Naming,
  transaction: Pick<StoreReads, 'findTrail'>,
  trails: Pick<OperationDependencies['trails'], 'operatorTrail'>,
): Promise<TrailRecord> {
  const ref = refOf(name, naming)
  if (ref === undefined) throw trailNotFound(name, naming)
  if (ref.homeRegion !== naming.region) {
    throw new KmsError(
      'InvalidHomeRegionException',
      `Trail ${ref.name} can be changed only in its home Region ${ref.homeRegion}.`,
    )
  }
  const trail = await transaction.findTrail(ref)
  if (trail !== undefined) return trail
  if (operatorTrail(ref, trails) === undefined) throw trailNotFound(name, naming)
  throw new KmsError(
    'OperationNotPermittedException',
    `Trail ${ref.name} is made by the settings of the server.`,
  )
}

function trailNotFound(name: string, { caller }: Naming): KmsError {
  return new KmsError(
    'TrailNotFoundException',
    `Unknown trail: ${name} for the user: ${caller.accountId}`,
  )
}
