import type { ChartHandlers } from '@chart/grpc'
import type { Tracer } from '@chart/service'

/** `handlers`, of whose calls the sampled ones have a span: a unary call until its answer, a stream until it has been told of the past. */
export function traceCalls(tracer: Tracer, handlers: ChartHandlers): ChartHandlers {
  const traced = <Args extends unknown[], Answer>(method: string, handle: (...args: Args) => Promise<Answer>) => {
    return async (...args: Args): Promise<Answer> => {
      const span = tracer.begin(`chart.v1.ChartService/${method}`)
      if (span === undefined) return handle(...args)
      try {
        const answer = await handle(...args)
        span.end({ 'rpc.system': 'grpc' })
        return answer
      } catch (error) {
        span.end({ 'rpc.system': 'grpc' }, error)
        throw error
      }
    }
  }
  return {
    streamBars: traced('StreamBars', handlers.streamBars),
    getLiveBar: traced('GetLiveBar', handlers.getLiveBar),
    listBars: traced('ListBars', handlers.listBars),
    listSymbols: traced('ListSymbols', handlers.listSymbols),
  }
}
