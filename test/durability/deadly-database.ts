/**
 * Makes a server that preloads this file kill itself at a chosen moment of a transaction that changes the seals of
 * its root key. It dies at the moment that the file `DIES_AT` names. While that file is missing, it lives.
 * @module
 */
import { existsSync, readFileSync } from 'node:fs'
import { DatabaseSync, type StatementResultingChanges } from 'node:sqlite'
import { die } from './die.ts'

/**
 * `within` the transaction, when only its commit is left; `after` its commit, of which nobody knows yet. The number
 * counts the transactions that change a seal from the choice of the moment on.
 */
export type SealMoment = `${'within' | 'after'} ${1 | 2}`

const path = process.env['DIES_AT'] ?? ''
const sealChange = /^(?:insert into|update|delete from) "(?:other_)?seals"/
let transactions = 0
let isChanging = false

function reach(part: 'within' | 'after'): void {
  if (existsSync(path) && readFileSync(path, 'utf8') === `${part} ${transactions}`) die()
}

function change(): void {
  if (isChanging) return
  isChanging = true
  if (existsSync(path)) transactions += 1
}

// oxlint-disable-next-line typescript/unbound-method -- both are called with the `this` of their call
const { prepare, exec } = DatabaseSync.prototype

DatabaseSync.prototype.prepare = function (this: DatabaseSync, ...of: Parameters<typeof prepare>) {
  const statement = prepare.apply(this, of)
  if (!sealChange.test(of[0])) return statement
  const run = statement.run.bind(statement)
  statement.run = (...values: readonly unknown[]) => {
    if (this.isTransaction) change()
    return Reflect.apply(run, undefined, values) as StatementResultingChanges
  }
  return statement
}

DatabaseSync.prototype.exec = function (this: DatabaseSync, sql: string) {
  const commits = isChanging && sql === 'COMMIT'
  if (commits) reach('within')
  exec.call(this, sql)
  isChanging &&= this.isTransaction
  if (commits) reach('after')
}
