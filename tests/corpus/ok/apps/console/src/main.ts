import { Tidewater } from '@tidewater/sdk';

const list = document.querySelector('#berths');
new Tidewater(import.meta.env.VITE_API_URL).berths().then((berths) => {
  if (list) list.textContent = JSON.stringify(berths);
});
