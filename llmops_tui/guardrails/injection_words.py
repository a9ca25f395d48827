"""Words of `injection_phrases`, by what they mean in an order: any of a class may stand for it.

Lower case, without accents; `_` between the words of one. Languages are mixed: an attacker mixes them too.
"""

from __future__ import annotations

CLASSES = {
    # -- overriding: the verb, which orders, the orders
    "IGNORE": (
        "ignore|disregard|forget|override|bypass|overlook|neglect|abandon|discard|set_aside|throw_away|"
        "pay_no_attention_to|ignoriere|ignorier|ignorieren|vergiss|vergesse|vergessen|missachte|umgehe|"
        "verwirf|ignorez|ignorer|oublie|oubliez|oublier|ne_tiens_pas_compte|ne_tiens_plus_compte|"
        "ne_tenez_pas_compte|ne_tenez_plus_compte|fais_abstraction|faites_abstraction|ne_respecte_pas|"
        "ne_suis_pas|ignora|ignorad|ignorar|olvida|olvide|olvidate|olviden|haz_caso_omiso|"
        "haga_caso_omiso|no_tengas_en_cuenta|no_sigas|descarta|ignorate|ignori|ignorare|dimentica|"
        "dimenticate|dimenticare|non_seguire|non_tenere_conto|negeer|negeren|vergeet|vergeten|sla_over|"
        "volg_niet|esqueca|esquece|desconsidere|desconsidera|desrespeite|nao_siga|игнорируй|"
        "игнорируйте|проигнорируй|забудь|забудьте|не_следуй|не_обращай_внимания_на"
    ),
    "NOTFOLLOW": (
        "do_not_follow|don_t_follow|dont_follow|stop_following|no_longer_follow|never_follow|"
        "do_not_obey|don_t_obey|stop_obeying|do_not_adhere_to|don_t_adhere_to|do_not_comply_with|"
        "befolge_nicht|folge_nicht"
    ),
    "WHICH": (
        "previous|prior|above|earlier|preceding|foregoing|initial|original|existing|current|all|any|"
        "every|your|its|system|these|those|other|safety|developer|bisherigen|vorherigen|vorigen|obigen|"
        "fruheren|vorstehenden|vorangegangenen|alle|allen|deine|deiner|deinen|ursprunglichen|samtliche|"
        "precedentes|precedents|precedente|anterieures|toutes|tous|tes|vos|initiales|todas|todos|tus|"
        "sus|anteriores|previas|tutte|tue|tuoi|precedenti|vorige|eerdere|bovenstaande|voorgaande|je|"
        "jouw|suas|teus|tuas|все|твои|предыдущие|прошлые|прежние|свои|прошлых"
    ),
    "BEHIND": (
        "above|before|previously|earlier|so_far|you_were_given|you_have_been_given|you_got|"
        "you_received|precedentes|anterieures|ci_dessus|anteriores|previas|de_arriba|precedenti|"
        "di_cui_sopra|qui_sopra|acima|hierboven|oben|выше|given_to_you|des_developpeurs|del_sistema|"
        "di_sistema|do_sistema|du_systeme"
    ),
    "ORDERS": (
        "instruction|instructions|direction|directions|directive|directives|rule|rules|prompt|prompts|"
        "guideline|guidelines|command|commands|constraints|restrictions|programming|policies|guidance|"
        "training|guardrails|safeguards|protocols|limitations|system_message|anweisungen|anweisung|"
        "instruktionen|regeln|vorgaben|befehle|richtlinien|vorschriften|anordnungen|systemvorgaben|"
        "systemanweisungen|consignes|regles|ordres|instrucciones|reglas|indicaciones|ordenes|"
        "directrices|normas|istruzioni|regole|direttive|indicazioni|instructies|regels|opdrachten|"
        "richtlijnen|aanwijzingen|instrucoes|regras|diretrizes|orientacoes|ordens|comandos|инструкции|"
        "инструкций|указания|указаний|правила|правил|команды|prompten"
    ),
    "LASTIGNORE": "ignorieren|vergessen|missachten|negeren|vergeten|игнорировать|забыть",
    "ALLOFIT": (
        "everything|anything|all|what|whatever|text|content|conversation|messages|alles|tout|todo|"
        "tutto|tudo|все"
    ),
    "TOLD": (
        "you_were_told|you_have_been_told|you_know|you_ve_been_told|told_you|taught_you|you_learned|"
        "you_were_instructed|you_were_taught"
    ),
    # -- another part to play
    "BE": (
        "you_are_now|you_re_now|you_are_no_longer|you_will_be|you_are_going_to_be|act_as|acting_as|"
        "pretend_to_be|pretend_you_are|pretend_that_you_are|roleplay_as|role_play_as|become|"
        "play_the_role_of|behave_like|behave_as|simulate|imagine_you_are|impersonate|respond_as|"
        "answer_as|speak_as|you_are|du_bist|tu_es|vous_etes|eres|sei|je_bent|voce_e|ты"
    ),
    "BENOW": (
        "you_are_now|you_re_now|du_bist_jetzt|du_bist_ab_jetzt|du_bist_nun|tu_es_maintenant|"
        "tu_es_desormais|maintenant_tu_es|ahora_eres|eres_ahora|ora_sei|sei_ora|adesso_sei|je_bent_nu|"
        "agora_voce_e|voce_agora_e|теперь_ты|ты_теперь"
    ),
    "BADROLE": (
        "stan|dude|aim|jailbroken|unrestricted|unfiltered|uncensored|unaligned|evil|amoral|immoral|"
        "malicious|chaosgpt|developer_mode|god_mode|without_restrictions|without_limits|"
        "without_limitations|without_rules|without_filters|without_any_restrictions|without_any_rules|"
        "without_any_limits|no_restrictions|no_rules|no_limits|no_limitations|no_filters|no_filter|"
        "no_ethics|no_morals|not_bound|free_from|free_of|ohne_regeln|ohne_einschrankungen|ohne_filter|"
        "ohne_grenzen|sans_restriction|sans_restrictions|sans_limites|sans_limite|sans_regles|"
        "sans_filtre|aucune_restriction|sin_restricciones|sin_limites|sin_reglas|sin_filtros|"
        "senza_restrizioni|senza_limiti|senza_regole|senza_filtri|zonder_regels|zonder_beperkingen|"
        "zonder_filter|sem_restricoes|sem_limites|sem_regras|sem_filtros|без_ограничений|без_правил|"
        "без_цензуры"
    ),
    "AI": (
        "ai|ais|llm|llms|language_model|language_models|chatbot|chatbots|gpt|chatgpt|claude|gemini|"
        "copilot|ki|ia|sprachmodell|modele_de_langage|modelo_de_lenguaje|modello_linguistico|taalmodel|"
        "ии|нейросеть"
    ),
    "HELPER": ("assistant|assistants|bot|bots|agent|agents|model|models|assistent|asistente|assistente"),
    # -- telling what it was told
    "SHOW": (
        "reveal|show|print|repeat|display|output|tell|give|share|leak|dump|expose|disclose|recite|"
        "write|copy|paste|quote|provide|summarize|summarise|translate|what_is|what_are|what_s|what_was|"
        "what_were|echo|encode|zeig|zeige|nenne|gib|verrate|wiederhole|schreibe|drucke|wie_lautet|"
        "montre|affiche|revele|donne|repete|ecris|imprime|quel_est|quelles_sont|muestra|muestrame|"
        "revela|dime|repite|escribe|dame|cual_es|cuales_son|mostra|mostrami|rivela|dimmi|stampa|ripeti|"
        "scrivi|qual_e|quali_sono|toon|laat|geef|onthul|herhaal|schrijf|mostre|revele|diga|imprima|"
        "repita|escreva|quais_sao|покажи|раскрой|выведи|напиши|повтори|скажи"
    ),
    "REPEAT": (
        "repeat|print|output|recite|copy|reproduce|echo|dump|wiederhole|repete|repite|ripeti|herhaal|"
        "repita|повтори"
    ),
    "PROMPT": (
        "system_prompt|system_prompts|system_message|system_instructions|initial_prompt|"
        "initial_instructions|original_instructions|original_prompt|hidden_instructions|hidden_prompt|"
        "hidden_rules|secret_instructions|secret_prompt|internal_instructions|internal_prompt|"
        "base_prompt|developer_message|developer_prompt|preprompt|pre_prompt|metaprompt|your_prompt|"
        "systemprompt|deinen_prompt|internen_prompt|internen_anweisungen|geheimen_anweisungen|"
        "prompt_systeme|ton_prompt|instructions_systeme|instructions_cachees|tu_prompt|"
        "prompt_del_sistema|prompt_de_sistema|instrucciones_del_sistema|instrucciones_ocultas|"
        "prompt_di_sistema|tuo_prompt|istruzioni_di_sistema|istruzioni_nascoste|systeemprompt|"
        "systeeminstructies|prompt_do_sistema|seu_prompt|instrucoes_do_sistema|instrucoes_ocultas|"
        "systemanweisung|systemanweisungen|systemvorgaben|системный_промпт|системные_инструкции|"
        "системную_подсказку|скрытые_инструкции"
    ),
    "EXACTLY": (
        "verbatim|word_for_word|exactly|in_full|letter_by_letter|unmodified|code_block|as_is|"
        "in_their_entirety"
    ),
    # -- data that goes elsewhere
    "SEND": (
        "send|forward|post|email|mail|upload|transmit|exfiltrate|submit|append|deliver|sende|schicke|"
        "leite|envoie|envoyez|envia|invia|stuur|envie|отправь"
    ),
    "HELD": (
        "conversation|chat_history|chat_log|conversation_history|message_history|transcript|user_data|"
        "customer_data|personal_data|user_s|users|customers|customer_s|passwords|credentials|api_key|"
        "api_keys|secrets|system_prompt|card_number|card_details|credit_card|environment_variables|"
        "session_token|cookies|kundendaten|unterhaltung|gesprach|passworter|donnees|conversacion|"
        "contrasenas|dati|wachtwoorden|dados|senhas"
    ),
    "USERS": (
        "user|users|customer|customers|human|humans|anyone|anybody|benutzer|nutzer|utilisateur|usuario|"
        "utente|gebruiker"
    ),
}
