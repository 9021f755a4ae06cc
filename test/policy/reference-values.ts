/** What the random policies and requests of the second evaluator's test are made of. @module */
import { own } from './given.ts'

export const keyArn = `arn:aws:kms:r:${own}:key/k1`
/** Values of every type, some of them wildcards, so that matches are neither rare nor certain. */
const moments = ['2030-01-01T00:00:00Z', '1893456000', '2030-01-01T01:00:00+02:00', '2031']
const texts = ['a', 'A', 'ab', 'b', '*', 'a*', '7', '10', 'true', '10.0.0.1', own, keyArn, '']
export const words = [...texts, 'YQ==', ...moments]
const patterns = [
  ...words,
  '?',
  'a?',
  '*b',
  '${t:one}',
  '${T:One}*',
  '${t:none}',
  "${t:none, 'a'}",
  '${t:many}',
  '${*}',
  '${?}${$}',
  'x${t:one}',
]
const arns = [
  keyArn,
  'arn:aws:kms:*:*:key/k?',
  'arn:*:*:*:*:*',
  '${t:arn}',
  'arn:aws:kms:r:${t:acct}:*',
]
export const operatorValues: readonly (readonly [string, readonly string[]])[] = [
  ['StringEquals', patterns],
  ['StringNotEquals', patterns],
  ['StringEqualsIgnoreCase', patterns],
  ['StringNotEqualsIgnoreCase', patterns],
  ['StringLike', patterns],
  ['StringNotLike', patterns],
  ['NumericEquals', ['7', '10']],
  ['NumericNotEquals', ['7', '10']],
  ['NumericLessThan', ['7', '10']],
  ['NumericLessThanEquals', ['7', '10']],
  ['NumericGreaterThan', ['7', '10']],
  ['NumericGreaterThanEquals', ['7', '10']],
  ['DateEquals', moments],
  ['DateNotEquals', moments],
  ['DateLessThan', moments],
  ['DateLessThanEquals', moments],
  ['DateGreaterThan', moments],
  ['DateGreaterThanEquals', moments],
  ['BinaryEquals', ['YQ==', 'true', '']],
  ['Bool', ['true', 'false', '${t:bool}', 'TRUE']],
  ['IpAddress', ['10.0.0.1', '10.0.0.0/8', '0.0.0.0/0', '10.0.0.2/31']],
  ['NotIpAddress', ['10.0.0.1', '10.0.0.0/8', '10.0.0.2/31']],
  ['ArnLike', arns],
  ['ArnNotEquals', arns],
]
