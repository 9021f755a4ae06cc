/** Builds Helm, with which the tests of the chart then run. @module */
import { programsIn } from './programs.ts'

const { skip } = await programsIn('helm')
if (skip !== false) console.log(skip)
await import('../deploy/chart.test.ts')
