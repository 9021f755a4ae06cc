/** Builds the library of Docker Compose, with which the tests of its files then run. @module */
import { programsIn } from './programs.ts'

const { skip } = await programsIn('compose')
if (skip !== false) console.log(skip)
await import('../deploy/compose-files.test.ts')
