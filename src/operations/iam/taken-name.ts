/** The refusal of a name that is taken. @module */
import { KmsError } from '../../errors.ts'
import { DuplicateRow } from '../../store/store.ts'

/**
 * Awaits a write that gives something a name.
 * @throws {KmsError} `EntityAlreadyExistsException` with `message` when the name is taken
 */
export async function refuseTaken<T>(write: Promise<T>, message: string): Promise<T> {
  try {
    return await write
  } catch (error) {
    if (!(error instanceof DuplicateRow)) throw error
    throw new KmsError('EntityAlreadyExistsException', message)
  }
}
