import './viewer.css';
