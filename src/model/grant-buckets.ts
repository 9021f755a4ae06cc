/**
 * Buckets: the names under which the store files a grant, so that the grants that give a call are found by
 * an index. A bucket holds the grants of one key that are to one grantee, give one operation, and agree in
 * their source and in one part of their context. A principal is meant by its unique id alone, so that a grant
 * stays in its buckets when its grantee is renamed. A bucket only proposes grants: each is read and compared.
 *
 * The names are stored. A change of what they are made of needs a migration that files all grants again.
 * @see docs/adr/0026-grants-at-scale.md
 * @module
 */
import { hash } from 'node:crypto'
import {
  contextSelectors,
  describeSelector,
  operationNames,
  type AskedTerms,
  type GrantTerms,
} from './grant-terms.ts'

/** 128 bits: two parts that share a name by chance would only propose some grants in vain. */
const nameCharacters = 22

function bucketName(
  grantee: string,
  terms: Pick<GrantTerms, 'granteeId' | 'own' | 'source'>,
  operation: string,
  selector: string,
): string {
  const { granteeId, own, source } = terms
  const named = granteeId === '' ? grantee : ''
  const parts = [named, granteeId, own ? 'own' : 'other', source, operation, selector]
  return hash('sha256', JSON.stringify(parts), 'base64url').slice(0, nameCharacters)
}

/**
 * For each part of its context by which a grant can be filed, its buckets: one for each operation. The grant
 * is in those of one part.
 */
export function bucketChoices(
  grantee: string,
  terms: GrantTerms,
): readonly [readonly string[], ...(readonly string[])[]] {
  const operations = operationNames(terms.operations)
  const namesFor = (selector: string): readonly string[] =>
    operations.map((operation) => {
      const by = operation === 'DescribeKey' ? describeSelector : selector
      return bucketName(grantee, terms, operation, by)
    })
  const [first, ...others] = contextSelectors(terms)
  return [namesFor(first), ...others.map(namesFor)]
}

/** The buckets that hold every grant that gives what is asked, those of the grantee's own first. */
export function* bucketsAsked(
  grantee: string,
  granteeId: string,
  asked: AskedTerms,
): Generator<string> {
  for (const own of [true, false]) {
    for (const source of asked.sources) {
      for (const selector of asked.selectors()) {
        yield bucketName(grantee, { granteeId, own, source }, asked.operation, selector)
      }
    }
  }
}
