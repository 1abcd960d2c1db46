export { type BarClient, openBarClient } from '@chart/grpc'
