/**
 * A small model of an imported key: its state, its materials, and the effects of calls and time.
 * @module
 */

export const dayMs = 86_400_000

export interface Material {
  readonly digit: number
  role: 'CURRENT' | 'NON_CURRENT' | 'PENDING_ROTATION'
  imported: boolean
  validTo: number | undefined
}

export interface Model {
  now: number
  state: 'Enabled' | 'Disabled' | 'PendingImport' | 'PendingDeletion'
  materials: Material[]
  startedAt: number | undefined
  rotations: number
  expired: number
}

/** The error that the model predicts for a call; undefined for success. */
export type Outcome = string | undefined

export const needed = (model: Model): readonly Material[] =>
  model.materials.filter(({ role }) => role !== 'PENDING_ROTATION')
const usable = ({ now }: Model, { imported, validTo = Infinity }: Material): boolean =>
  imported && validTo > now
export const complete = (model: Model): boolean =>
  needed(model).length > 0 && needed(model).every((each) => usable(model, each))

/** A key that lacks material is pending import, unless it is pending deletion. */
export function settle(model: Model): void {
  const living = model.state === 'Enabled' || model.state === 'Disabled'
  if (living && !complete(model)) model.state = 'PendingImport'
}

export function importing(model: Model, digit: number, step: ImportStep): Outcome {
  if (model.state === 'PendingDeletion') return 'KMSInvalidStateException'
  const known = model.materials.find((each) => each.digit === digit)
  const asNew = step.type === 'NEW_KEY_MATERIAL' || (!step.type && model.materials.length === 0)
  const validTo = step.days === undefined ? undefined : model.now + step.days * dayMs
  if (asNew) {
    if (known !== undefined) return 'IncorrectKeyMaterialException'
    if (model.materials.some(({ role }) => role === 'PENDING_ROTATION')) {
      return 'KMSInvalidStateException'
    }
    const role = model.materials.length === 0 ? 'CURRENT' : 'PENDING_ROTATION'
    model.materials.push({ digit, role, imported: true, validTo })
    if (role === 'CURRENT') model.state = 'Enabled'
    return undefined
  }
  if (known === undefined) return 'IncorrectKeyMaterialException'
  Object.assign(known, { imported: true, validTo })
  if (known.role !== 'PENDING_ROTATION' && complete(model)) model.state = 'Enabled'
  settle(model)
  return undefined
}

export function deleting(model: Model, digit: number): Outcome {
  const material = model.materials.find((each) => each.digit === digit)
  if (material === undefined) return 'ValidationException'
  if (material.role === 'PENDING_ROTATION') {
    model.materials = model.materials.filter((each) => each !== material)
  } else Object.assign(material, { imported: false, validTo: undefined })
  settle(model)
  return undefined
}

export function switching(model: Model, to: 'Enabled' | 'Disabled'): Outcome {
  if (model.state !== 'Enabled' && model.state !== 'Disabled') return 'KMSInvalidStateException'
  model.state = to
  return undefined
}

export function rotating(model: Model): Outcome {
  if (model.state === 'Disabled') return 'DisabledException'
  if (model.state !== 'Enabled') return 'KMSInvalidStateException'
  if (model.startedAt !== undefined) return undefined
  const waits = model.materials.some(({ role }) => role === 'PENDING_ROTATION')
  if (!waits) return 'KMSInvalidStateException'
  if (model.rotations >= 25) return 'LimitExceededException'
  model.startedAt = model.now
  return undefined
}

export function jobs(model: Model): void {
  for (const material of model.materials) {
    if (!material.imported || (material.validTo ?? Infinity) > model.now) continue
    Object.assign(material, { imported: false, validTo: undefined })
    model.expired += 1
  }
  settle(model)
  if (model.startedAt === undefined || model.now - model.startedAt < 250) return
  model.startedAt = undefined
  const waiting = model.materials.find(({ role }) => role === 'PENDING_ROTATION')
  if (waiting === undefined) return
  for (const material of model.materials) {
    if (material.role === 'CURRENT') material.role = 'NON_CURRENT'
  }
  waiting.role = 'CURRENT'
  model.rotations += 1
  settle(model)
}

export interface ImportStep {
  readonly type: 'NEW_KEY_MATERIAL' | 'EXISTING_KEY_MATERIAL' | undefined
  readonly days: number | undefined
}
