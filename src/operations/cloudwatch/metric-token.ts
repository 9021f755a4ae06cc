/** NextToken values of CloudWatch. @module */
import { KmsError } from '../../errors.ts'
import type { Pages } from '../contract/dependencies.ts'

/**
 * Returns the content of a token, which must belong to this request. @throws {KmsError} `InvalidNextToken`
 */
export function openMetricToken(
  pages: Pages,
  question: string,
  token: string | undefined,
): unknown {
  try {
    const text = pages.open(question, token)
    return text === undefined ? undefined : JSON.parse(text)
  } catch (error) {
    if (!(error instanceof KmsError)) throw error
    throw new KmsError('InvalidNextToken', 'The next token is not valid.')
  }
}
