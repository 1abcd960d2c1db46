import fc from 'fast-check'

/**
 * Property tests draw the same cases in every run, so that a red run is red again; TEST_SEED=n draws others (`npm run test:fuzz` takes a
 * new one each time and says which).
 */
const seed = Number(process.env.TEST_SEED ?? 1_723_161_300)
fc.configureGlobal({ seed })
