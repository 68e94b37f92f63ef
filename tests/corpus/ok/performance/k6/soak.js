import http from 'k6/http';
import { check } from 'k6';

export const options = { vus: Number(__ENV.K6_VUS || 10), duration: __ENV.K6_DURATION || '30s' };

export default function soak() {
  const answer = http.get(`${__ENV.BASE_URL || 'http://localhost:8000'}/health`);
  check(answer, { 'is 200': (r) => r.status === 200 });
}
