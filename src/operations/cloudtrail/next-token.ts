/** NextToken values of CloudTrail's lists. @module */
import { KmsError, type ErrorCode } from '../../errors.ts'
import type { Pages } from '../contract/dependencies.ts'

/** Returns the content of `token`, which must belong to this list. @throws {KmsError} `code` */
export function openNextToken(
  pages: Pages,
  list: string,
  token: string | undefined,
  code: ErrorCode = 'InvalidNextTokenException',
): string | undefined {
  try {
    return pages.open(list, token)
  } catch (error) {
    if (!(error instanceof KmsError) || error.code !== 'InvalidMarkerException') throw error
    throw new KmsError(code, 'Invalid NextToken')
  }
}
