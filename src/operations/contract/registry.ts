/** Operations by name, in a closed `Map`, because the caller chooses the name. @module */
import type { Operation } from './operation.ts'

/** Operations by `<service>:<name>`, for example `kms:Encrypt`. */
export type Registry = ReadonlyMap<string, Operation>

export function registryOf(operations: readonly Operation[]): Registry {
  return new Map(operations.map((known) => [`${known.service}:${known.name}`, known]))
}
