/** The program of the slow lane's thread. `slow-lane.ts` starts it. @module */
import { serveLane } from '../threads/lane-thread.ts'
import { slowTasks, type SlowTasks } from './slow-tasks.ts'

serveLane<SlowTasks>(slowTasks)
